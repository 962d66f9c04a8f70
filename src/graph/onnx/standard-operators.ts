/** Names of all operators of the standard domain up to version 26, by the version that introduced them. */
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
};

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
