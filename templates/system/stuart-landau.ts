import { Conv2d, Linear, crossEntropy, init, namedParameters } from "striate";
import type { InferenceGraph, LossGraph, Task } from "striate";
import type { Dim, Tensor } from "striate/graph";
import { add, cast, flatten, globalAveragePool, input, mul, parameter, sqrt, sub } from "striate/graph";

/**
 * A feature map of Stuart-Landau oscillators z = x + iy, each with a frequency of its own, coupled by a convolution K
 * and driven by the image through a convolution D:
 *
 *     z <- z + dt ((1 - |z|^2) z + i omega z + K z + D image)
 *
 * After T timesteps, the mean amplitudes |z| of the channels are read out as logits.
 */
export class StuartLandau {
  readonly drive: Conv2d;
  readonly coupling: Conv2d;
  readonly omega: Tensor;
  readonly readout: Linear;

  constructor(readonly options: { channels: number; timesteps: number; classes: number; dt: number }) {
    const { channels, classes } = options;
    this.drive = new Conv2d(1, channels, 5, { padding: 2 });
    this.coupling = new Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.omega = parameter([1, channels, 1, 1], init.uniform(0, 2));
    this.readout = new Linear(channels, classes);
  }

  /** Maps images [batch, 1, height, width] to logits [batch, classes]. */
  forward(images: Tensor): Tensor {
    const { timesteps, dt } = this.options;
    const drive = this.drive.forward(images);
    let [x, y] = [mul(drive, 0.1), mul(drive, 0)];
    for (let t = 0; t < timesteps; t++) {
      const growth = sub(1, add(mul(x, x), mul(y, y)));
      const dx = add(add(sub(mul(growth, x), mul(this.omega, y)), this.coupling.forward(x)), drive);
      const dy = add(add(mul(growth, y), mul(this.omega, x)), this.coupling.forward(y));
      [x, y] = [add(x, mul(dx, dt)), add(y, mul(dy, dt))];
    }
    const amplitude = sqrt(add(add(mul(x, x), mul(y, y)), 1e-6));
    return this.readout.forward(flatten(globalAveragePool(amplitude)));
  }
}

/** What `train` needs: the loss of a batch, and the outputs. Data fields: "images" and "labels". */
export class StuartLandauTask implements Task {
  readonly parameters;

  constructor(
    readonly model: StuartLandau,
    readonly size: number,
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const images = input("images", [batch, 1, this.size, this.size]);
    const labels = input("labels", [batch]);
    const loss = crossEntropy(this.model.forward(images), cast(labels, "int32"));
    return { inputs: [images, labels], loss, classes: { labels: this.model.options.classes } };
  }

  inference(batch: Dim): InferenceGraph {
    const images = input("images", [batch, 1, this.size, this.size]);
    return { inputs: [images], outputs: { logits: this.model.forward(images) } };
  }
}
