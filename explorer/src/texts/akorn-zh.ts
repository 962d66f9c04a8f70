import type { ObjectTexts } from "./akorn-en.js";

export const zh: ObjectTexts = {
  tagline: "AKOrN：振子自己找出图像中的物体，训练时没有使用任何标签。",
  caption:
    "图像的每个位置有 16 个振子，初始方向随机。每个时间步，所有位置互相牵引，同一块积木的振子逐渐指向同一方向。请观察积木如何显现，然后拖动其中一块。",
  picture: "图像",
  pictureHelp: "拖动积木即可移动。键盘操作：用 Tab 选中积木，方向键移动，K 改变形状，C 改变颜色。",
  piece: "积木",
  oscillators: "振子",
  oscillatorsHelp: "振子相似的位置颜色相近（前三个主成分分别显示为红、绿、蓝）。点击可选择一个位置。",
  alignment: "与所选位置同步的程度",
  alignmentHelp: "各位置的振子与所选位置的振子之间的平均余弦：红色为 1（方向相同），白色为 0，蓝色为 -1。",
  place: "所选位置",
  segments: "找到的物体",
  segmentsHelp: "从振子读出的特征，聚类为四个区域。",
  agreement: "与真实积木的一致程度",
  agreementHelp: "FG-ARI：每块积木恰好是一个区域时为 100 %，随机时约为 0 %。网络从未见过真实的积木划分。",
  energy: "能量",
  energyHelp: "振子的能量，随着振子趋于稳定而下降。数值为图像的四个平移副本的平均。",
  timestep: "时间步",
  scrambled: "刚被打乱",
  play: "播放",
  pause: "暂停",
  step: "下一时间步",
  rate: "步长 (γ)",
  timesteps: "时间步数",
  scramble: "在此时间步后打乱所选位置周围",
  scrambleOff: "在此时间步后打乱（0：不打乱）",
  scrambleNow: "打乱所选位置",
  speed: "每秒时间步数",
  other: "换一组积木",
  sameColour: "所有积木同一颜色",
  again: "换一个随机起点",
  trained: "训练时的步长与时间步数",
  reset: "重置",
  whatTitle: "你看到的是什么",
  what1:
    "没有人告诉这个网络什么是积木。它只从整幅图像的成对变换视图中学习：两个视图属于同一幅图像。同一物体的各位置趋于同步只是副产品，聚类是事后读出的。",
  what2:
    "打乱某个位置周围的振子：相邻的振子会在几个时间步内把它们拉回来。再把所有积木变成同一颜色：这个小网络会把它们当作一个物体，一致程度降到约 0 %。",
  what3:
    "图像被切成 4 x 4 像素的小块。四个平移半块的图像副本并行运行并交错排列 (up-tiling)，使图的分辨率加倍。",
  equations: "方程",
  equationHelp:
    "x_i 是一个振子，即长度为 1 的四维向量。c_i 是图像对它的驱动，J 是耦合，这里是所有位置之间的自注意力，每个时间步重新计算。若 J 固定且对称，足够小的步长会降低 E。",
  code: "显示代码",
  device: "在本标签页中计算，设备：",
  perStep: "毫秒/时间步",
  figures: "在 320 个新场景上：",
  opening: "正在加载网络……",
  source:
    "网络：Miyato, Löwe, Geiger, Welling, ICLR 2025 (arXiv:2410.13821)，这里的通道数为论文的一半。权重与数值由 Striate 训练和测量 (striate models)。场景由 Striate 生成，仿照 Tetrominoes (Kabra et al. 2019)。",
};
