/** Names of all operators of the standard domain up to version 28, by the version that introduced them. */
const NAMES: Readonly<Record<number, string>> = {
  1: `
Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvTranspose
DepthToSpace Div Dropout Elu Equal Exp Flatten Floor GRU Gather Gemm GlobalAveragePool GlobalLpPool
GlobalMaxPool Greater HardSigmoid Hardmax Identity If InstanceNormalization LRN LSTM LeakyRelu Less Log
LogSoftmax Loop LpNormalization LpPool MatMul Max MaxPool MaxRoiPool Mean Min Mul Neg Not Or PRelu Pad Pow RNN
RandomNormal RandomNormalLike RandomUniform RandomUniformLike Reciprocal ReduceL1 ReduceL2 ReduceLogSum
ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Selu Shape
Sigmoid Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose
Unsqueeze Upsample Xor`,
  7: `Acos Asin Atan Cos Multinomial Sin Tan`,
  8: `Expand Scan`,
  9: `
Acosh Asinh Atanh Compress ConstantOfShape Cosh Erf EyeLike IsNaN MaxUnpool MeanVarianceNormalization NonZero
OneHot Scatter Shrink Sign Sinh TfIdfVectorizer Where`,
  10: `
ConvInteger DequantizeLinear IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul QuantizeLinear
Resize ReverseSequence RoiAlign StringNormalizer ThresholdedRelu`,
  11: `
BitShift ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements GatherND Range Round ScatterElements
ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SplitToSequence
Unique`,
  12: `Celu Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss`,
  14: `HardSwish Trilu`,
  15: `Bernoulli CastLike Optional OptionalGetElement OptionalHasElement`,
  16: `GridSample`,
  17: `BlackmanWindow DFT HammingWindow HannWindow LayerNormalization MelWeightMatrix STFT SequenceMap`,
  18: `BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization Mish`,
  19: `DeformConv`,
  20: `AffineGrid Gelu ImageDecoder RegexFullMatch StringConcat StringSplit`,
  23: `Attention RMSNormalization RotaryEmbedding`,
  24: `Swish TensorScatter`,
  26: `BitCast CumProd`,
  27: `CausalConvWithState LinearAttention`,
  28: `SwiGLU`,
};

/** The newest version of the standard that a file may have. */
export const NEWEST_OPSET = 28;

/** The version of the standard that introduced each operator. */
export const OPERATOR_SINCE: ReadonlyMap<string, number> = new Map(
  Object.entries(NAMES).flatMap(([version, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, Number(version)] as const),
  ),
);

/** The standard operators that a file may contain. */
export const STANDARD_OPERATORS: ReadonlySet<string> = new Set(OPERATOR_SINCE.keys());

/** Domain of ONNX Runtime's own operators. */
export const RUNTIME_DOMAIN = "com.microsoft";

/** The operators of this domain that a file may contain: those that ONNX Runtime's quantiser writes. */
export const RUNTIME_OPERATORS: ReadonlySet<string> = new Set([
  "DequantizeLinear",
  "QGemm",
  "QLinearAdd",
  "QLinearAveragePool",
  "QLinearConcat",
  "QLinearGlobalAveragePool",
  "QLinearLeakyRelu",
  "QLinearMul",
  "QLinearSigmoid",
  "QuantizeLinear",
]);

/** The domains that the ONNX standard defines beside its main domain. */
const OTHER_DOMAINS = ["ai.onnx.ml", "ai.onnx.preview.training"];

/** Whether a domain is one of those that the ONNX standard defines beside its main domain. */
export function isStandardDomain(domain: string): boolean {
  return OTHER_DOMAINS.includes(domain);
}

const TEXT = "it works on text, which Striate does not have";
const TREES = "Striate does not have decision trees";
const KERNELS = "Striate does not have support-vector machines";
const MAPS =
  "it makes or reads maps from names to numbers, which are not tensors: export the model without it";

/** Why operators are refused, by name; names of other domains begin with the domain and `::`. */
export const REASONS: Readonly<Record<string, string>> = {
  ImageDecoder: "it decodes image files: decode them before, and give the model the pixels",
  RegexFullMatch: TEXT,
  StringConcat: TEXT,
  StringNormalizer: TEXT,
  StringSplit: TEXT,
  "ai.onnx.ml::CastMap": MAPS,
  "ai.onnx.ml::CategoryMapper": TEXT,
  "ai.onnx.ml::DictVectorizer": MAPS,
  "ai.onnx.ml::LinearClassifier": "Striate has LinearRegressor and ArgMax in its place",
  "ai.onnx.ml::SVMClassifier": KERNELS,
  "ai.onnx.ml::SVMRegressor": KERNELS,
  "ai.onnx.ml::TreeEnsemble": TREES,
  "ai.onnx.ml::TreeEnsembleClassifier": TREES,
  "ai.onnx.ml::TreeEnsembleRegressor": TREES,
  "ai.onnx.ml::ZipMap": MAPS,
  "ai.onnx.preview.training::Gradient":
    "Striate differentiates graphs itself: read the model without it, and call gradients",
};
