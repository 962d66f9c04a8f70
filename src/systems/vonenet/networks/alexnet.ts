import type { Tensor } from "../../../graph/index.js";
import { adaptiveAveragePool, flatten, maxPool, relu, scope } from "../../../graph/index.js";
import { Conv2d, Dropout, Linear, Sequential } from "../../../nn/layers/index.js";
import type { TrainingPass } from "../../../nn/layers/index.js";
import { checkSizes } from "../../../util/check.js";

/** Options of the AlexNet back end. */
export interface AlexNetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /**
   * Numbers of channels of the input features and of the four convolutions. Default [64, 192, 384, 256, 256].
   */
  readonly channels?: readonly [number, number, number, number, number];
  /** Units of the two hidden layers. Default 4096. */
  readonly hidden?: number;
  /** Default 0.5. */
  readonly dropout?: number;
}

/** Side of the grid to which average pooling reduces the map before the linear layers. */
const GRID = 7;

/**
 * AlexNet (Krizhevsky 2014, arXiv:1404.5997) without its first stage. This is the part of VOneAlexNet that
 * follows the bottleneck. Parameters have the same names as in the authors' code, such as "features.0.weight"
 * and "classifier.6.bias".
 */
export class AlexNetBackEnd {
  readonly features: Sequential;
  readonly classifier: Sequential;
  /** Channels of the input features. */
  readonly inputs: number;

  constructor(options: AlexNetOptions = {}) {
    const { classes = 1000, channels = [64, 192, 384, 256, 256], hidden = 4096, dropout = 0.5 } = options;
    checkSizes("AlexNet", { classes, hidden, channels });
    this.inputs = channels[0];
    const [inputs, first, second, third, fourth] = channels;
    const pool = (x: Tensor): Tensor => maxPool(x, 3, { stride: 2, padding: 1 });
    this.features = new Sequential(
      new Conv2d(inputs, first, 5, { stride: 2, padding: 2 }),
      relu,
      pool,
      new Conv2d(first, second, 3, { padding: 1 }),
      relu,
      new Conv2d(second, third, 3, { padding: 1 }),
      relu,
      new Conv2d(third, fourth, 3, { padding: 1 }),
      relu,
      pool,
    );
    this.classifier = new Sequential(
      new Dropout(dropout),
      new Linear(fourth * GRID * GRID, hidden),
      relu,
      new Dropout(dropout),
      new Linear(hidden, hidden),
      relu,
      new Linear(hidden, classes),
    );
  }

  /** Maps features [batch, channels[0], height, width] to logits [batch, classes]. */
  forward(features: Tensor, pass?: TrainingPass): Tensor {
    const maps = scope("features", () => this.features.forward(features, pass));
    const pooled = scope("avgpool", () => flatten(adaptiveAveragePool(maps, GRID)));
    return scope("classifier", () => this.classifier.forward(pooled, pass));
  }
}
