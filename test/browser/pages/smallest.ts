// What a page that trains a KomplexNet imports, to weigh it.
export { KomplexNet, KomplexNetTask, Trainer, createWebRuntime } from "striate";
