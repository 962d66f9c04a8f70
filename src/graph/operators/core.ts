/*
 * Operators that rules call by their names, because importing the files that define them would run in a circle. Whatever
 * differentiates, lowers or writes a graph imports this file. "sideEffects" in package.json names it and what it imports, so
 * that no bundler drops them. The others come with the functions that call them, or with a file that is read.
 */
import "./batch-norm.js";
import "./conv.js";
import "./elementwise.js";
import "./expand.js";
import "./join.js";
import "./pool.js";
import "./reduce.js";
import "./resize.js";
import "./running-sum.js";
import "./select.js";
import "./shape-values.js";
import "./shape.js";
import "./slice-pad.js";
import "./softmax.js";
