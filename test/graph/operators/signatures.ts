/*
 * What every operator takes and gives, as the ONNX standard lists it: optional operands too. "#" marks what never holds
 * floating-point values, "..." any number of operands.
 */
const SIGNATURES = `
Identity Neg Abs Sign Exp Log Sqrt Reciprocal Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh: x -> y
Tanh Sigmoid Erf Relu Softplus Softsign Floor Ceil Round StopGradient UnitStep LeakyRelu Elu HardSigmoid HardSwish: x -> y
Not: #x -> #y
IsNaN IsInf: x -> #y
Add Sub Mul Div Pow Mod Hypot Max Min: a b -> y
Equal Greater GreaterOrEqual Less LessOrEqual: a b -> #y
And Or Xor: #a #b -> #y
Sum Mean: x... -> y
ScaledAdd: x scale y -> result
AtanGradient: dy x -> dx
Where: #condition a b -> y
Clip: x low high -> y
Dropout: x ratio -> y
PRelu: x slope -> y
Cast: x -> y
ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL1 ReduceL2: x #axes -> y
ReduceLogSumExp ReduceLogSum: x #axes -> y
Softmax LogSoftmax Hardmax LRN UnitVectors: x -> y
ArgMax ArgMin: x -> #places
OneHot: #indices #depth values -> y
TopK: x #k -> values #places
CumSum: x #axis -> y
Trilu: x #k -> y
Gather GatherElements GatherND: x #indices -> y
GatherGradient: dy #indices x -> dx
ScatterElements ScatterND: x #indices updates -> y
Reshape: x #shape -> y
Squeeze Unsqueeze: x #axes -> y
Flatten Transpose DepthToSpace SpaceToDepth: x -> y
Concat: x... -> y
Split: x #sizes -> y...
Slice: x #starts #ends #axes #steps -> y
Pad: x #pads value #axes -> y
CropLike PadLike: x like -> y
Expand: x #shape -> y
Tile: x #repeats -> y
Shape Size: x -> #y
ConstantOfShape: #shape -> y
Range: start limit delta -> y
GridSample: x grid -> y
DeformConv: x weight offset bias mask -> y
RoiAlign: x rois #images -> y
MaxRoiPool: x rois -> y
DFT: x #length #axis -> y
Det: x -> y
ReverseSequence: x #lengths -> y
Compress: x #condition -> y
Unique: x -> y #places #inverse #counts
BitwiseAnd BitwiseOr BitwiseXor BitShift: #a #b -> #y
BitwiseNot BitCast: #x -> #y
HannWindow HammingWindow BlackmanWindow: #size -> y
MelWeightMatrix: #bands #length #rate #low #high -> y
EyeLike: #x -> y
MatMul: a b -> y
Gemm: a b c -> y
Conv ConvTranspose: x weight bias -> y
ConvWeightGradient: x... -> dw
Einsum: x... -> y
DotProductAttention: query key value -> y
NonZero: x -> #places
NonMaxSuppression: boxes scores #most overlap least -> #places
Unique: x -> y #first #inverse #counts
RNN GRU: x w r b #lengths h -> y last
LSTM: x w r b #lengths h c p -> y last cell
MaxPool: x -> y #places
MaxPoolGradient: x y dy -> dx
MaxPoolSelect: x y values -> result
AveragePool GlobalAveragePool GlobalMaxPool: x -> y
Resize: x region scales #sizes -> y
BatchNormalization: x scale bias mean variance -> y
BatchNormTraining: x scale bias -> y mean variance
InstanceNormalization GroupNormalization: x scale bias -> y
LayerNormalization: x scale bias -> y mean inverse
QuantizeLinear: x scale #zero -> #y
DequantizeLinear: #x scale #zero -> y
DynamicQuantizeLinear: x -> #y scale #zero
ConvInteger MatMulInteger: #a #b #zeroA #zeroB -> #y
QLinearConv: #x scaleX #zeroX #w scaleW #zeroW scaleY #zeroY #bias -> #y
QLinearMatMul com.microsoft::QLinearAdd com.microsoft::QLinearMul: #a scaleA #zeroA #b scaleB #zeroB scaleY #zeroY -> #y
com.microsoft::QLinearLeakyRelu com.microsoft::QLinearSigmoid: #x scaleX #zeroX scaleY #zeroY -> #y
com.microsoft::QLinearGlobalAveragePool com.microsoft::QLinearAveragePool: #x scaleX #zeroX scaleY #zeroY -> #y
com.microsoft::QLinearConcat: scaleY #zeroY #x... -> #y
com.microsoft::QGemm: #a scaleA #zeroA #b scaleB #zeroB #c scaleY #zeroY -> y
com.microsoft::FusedMatMul: a b -> y
com.microsoft.nchwc::Conv: x weight bias sum -> y
com.microsoft.nchwc::ReorderInput com.microsoft.nchwc::ReorderOutput: x -> y
`;

export interface Port {
  readonly name: string;
  readonly index: number;
}

/** The operands and results of an operator that may hold floating-point values. */
export interface Signature {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

function ports(text: string): Port[] {
  return text.split(" ").flatMap((name, index) => (name.startsWith("#") ? [] : [{ name, index }]));
}

export const FLOAT_PORTS: ReadonlyMap<string, Signature> = new Map(
  SIGNATURES.trim()
    .split("\n")
    .flatMap((line) => {
      const [types, operands, results] = line.split(/: | -> /) as [string, string, string];
      const signature = { inputs: ports(operands), outputs: ports(results) };
      return types.split(" ").map((type) => [type, signature] as const);
    }),
);

/** Operands that no small change of changes a result, by what they are for. */
export const WITHOUT_SLOPE: Readonly<Record<string, string>> = {
  "Dropout ratio": "outside of training, the probability changes nothing",
  "StopGradient x": "passes nothing back, by definition",
  "Range limit": "decides only how many numbers there are",
  "CropLike like": "gives lengths only",
  "PadLike like": "gives lengths only",
  "GatherGradient x": "gives lengths only",
  "MaxPoolGradient x": "decides the places only",
  "MaxPoolGradient y": "decides the places only",
  "MaxPoolSelect x": "decides the places only",
  "MaxPoolSelect y": "decides the places only",
  "Resize region": "read in a mode that has no gradient",
  "Resize scales": "constant",
};
