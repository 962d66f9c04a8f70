// What a page that trains a KomplexNet in a worker imports, to weigh it.
export { KomplexNet, KomplexNetTask, train } from "striate";
