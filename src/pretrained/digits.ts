import { RealBaseline } from "../systems/komplexnet/baselines/real-baseline.js";
import { KomplexNet } from "../systems/komplexnet/model.js";
import { KomplexNetTask, RealBaselineTask } from "../systems/komplexnet/training/tasks.js";

/**
 * KomplexNet as in the experiment overlapping-digits at the scale "laptop": two digits, 12 timesteps, and the
 * default Gabor filters and coupling.
 */
export function digitsNetwork(phaseMode: "kuramoto" | "random"): KomplexNetTask {
  return new KomplexNetTask(new KomplexNet({ timesteps: 12, kuramotoMode: "channels", phaseMode }), {
    phases: true,
  });
}

/** The real-valued control of the same experiment. */
export function realDigitsNetwork(): RealBaselineTask {
  return new RealBaselineTask(new RealBaseline());
}
