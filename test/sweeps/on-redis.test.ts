import { testQueue } from "./on-queue.js";

testQueue("redis");
