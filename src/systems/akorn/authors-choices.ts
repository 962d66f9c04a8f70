/** The module of the authors' code to which a state dictionary belongs. */
export type AuthorsModel =
  | "objectNetwork"
  | "sudokuNetwork"
  | "recognitionNetwork"
  | "iterativeObjectNetwork"
  | "sudokuTransformer"
  | "kuramotoLayer"
  | "attention"
  | "readout";

/**
 * An option of the network that shows in its state dictionary: depending on the option, the network has
 * certain tensors or lacks them.
 */
interface Choice {
  /** Matches the names, in the authors' code, of the tensors that a network has or lacks. */
  readonly tensors: RegExp;
  readonly having: string;
  readonly lacking: string;
}

const COUPLINGS: readonly Choice[] = [
  {
    tensors: /\bomg\.omg_param$/,
    having: "natural frequencies (use_omega=True)",
    lacking: "no natural frequencies (use_omega=False; ours: omega false)",
  },
  {
    tensors: /\b(W_qkv|W_o)\.(weight|bias)$/,
    having: 'coupling by attention (J="attn")',
    lacking: "a coupling other than attention",
  },
  {
    tensors: /\bmat_[qkvo]$/,
    having: "attention with learned rotations (gta=True)",
    lacking: "no learned rotations (gta=False, or no attention)",
  },
  {
    tensors: /\bconnectivity\.(weight|bias)$/,
    having: 'coupling by convolution (J="conv")',
    lacking: "a coupling other than convolution",
  },
  {
    tensors: /\bc_norm\.weight$/,
    having: 'a group norm of the stimulus (c_norm="gn"; ours: stimulusNorm "group")',
    lacking: "no group norm of the stimulus",
  },
  {
    tensors: /\bc_norm\.scale$/,
    having: 'a scale and bias of the stimulus (c_norm="sandb"; ours: stimulusNorm "scaleAndBias")',
    lacking: "no scale of the stimulus",
  },
];

const POSITIONS: readonly Choice[] = [
  {
    tensors: /^(pemb_[xc]|pos_embed)$/,
    having: "position codes (gta=False; ours: rotations false)",
    lacking: "no position codes (gta=True; ours: rotations true)",
  },
];

const CHOICES: Readonly<Record<AuthorsModel, readonly Choice[]>> = {
  objectNetwork: [
    ...COUPLINGS,
    ...POSITIONS,
    {
      tensors: /^layers\.\d+\.1\./,
      having: "read-outs (no_ro=False)",
      lacking: "no read-outs (no_ro=True; ours: readout false)",
    },
    {
      tensors: /^layers\.\d+\.2\./,
      having: "a convolution of the oscillators between layers (use_ro_x=True; ours: stateReadout true)",
      lacking: "no convolution of the oscillators between layers (use_ro_x=False)",
    },
  ],
  sudokuNetwork: [
    ...COUPLINGS,
    {
      tensors: /^layers\.\d+\.1\.[12]\./,
      having: "read-outs followed by three convolutions (nl=True; ours: nonlinear true)",
      lacking: "read-outs without further convolutions (nl=False; ours: nonlinear false)",
    },
  ],
  recognitionNetwork: [
    ...COUPLINGS,
    {
      tensors: /\brunning_(mean|var)$/,
      having: 'batch norms in the read-outs (norm="bn")',
      lacking: "no batch norms in the read-outs",
    },
    {
      tensors: /\bfn\.0\.(weight|bias)$/,
      having: "norms in the read-outs",
      lacking: 'no norms in the read-outs (norm=None; ours: norm "none")',
    },
  ],
  iterativeObjectNetwork: [...COUPLINGS, ...POSITIONS],
  sudokuTransformer: [...COUPLINGS, ...POSITIONS],
  kuramotoLayer: COUPLINGS,
  attention: COUPLINGS,
  readout: [],
};

/**
 * Finds the choice that explains why a tensor is in one of two sets of names but not in the other. Returns
 * undefined if no choice explains it, for example because the other set contains other tensors of the same
 * choice.
 *
 * @param tensor the tensor's name in the authors' code
 * @param others all names of the set without the tensor
 */
export function choiceBehind(
  model: AuthorsModel,
  tensor: string,
  others: Iterable<string>,
): Pick<Choice, "having" | "lacking"> | undefined {
  const choice = CHOICES[model].find(({ tensors }) => tensors.test(tensor));
  if (choice === undefined) return undefined;
  return [...others].some((name) => choice.tensors.test(name)) ? undefined : choice;
}
