import type { PredifyTexts } from "./predify-en.js";

export const zh: PredifyTexts = {
  tagline: "Predify：预测自身输入、并在几个时间步内自我修正的分类器。",
  caption:
    "时间步 0 是普通的分类器，会被噪声误导。随后四层各自预测下一层，每一层都朝着能解释图像的方向移动。请观察答案如何改变，然后调大噪声。",
  picture: "网络看到的图像",
  pictureHelp: "拖动数字。键盘操作：用 Tab 选中，方向键移动，R 与 Shift+R 旋转。",
  digit: "数字",
  reconstructions: "各层所相信的图像",
  reconstructionsHelp:
    "解码器由每一层重建的图像，从最低的第 1 层到最高的第 4 层。训练解码器时，网络从未见过带噪声的数字。",
  error: "未能解释的部分",
  errorHelp: "图像减去第 1 层的预测：红色表示图像比预测更亮，蓝色表示更暗。",
  answers: "回答",
  answersHelp: "当前时间步每个数字的概率。虚线框为单独的分类器（时间步 0）；圆圈标出图中真实的数字。",
  probability: "所示数字的概率",
  probabilityHelp: "随时间步变化。若反馈误导了网络，概率会下降，这也会发生。",
  errors: "预测误差",
  errorsHelp: "每层的均方误差，相对于时间步 0；颜色从第 1 层到第 4 层：",
  timestep: "时间步",
  play: "播放",
  pause: "暂停",
  step: "下一时间步",
  noise: "高斯噪声",
  salt: "被设为黑或白的像素比例",
  choice: "各层的权重",
  tuned: "在带噪声的数字上逐层调优",
  sliders: "由滑块决定，所有层相同",
  beta: "前馈 (β)",
  lambda: "反馈 (λ)",
  alpha: "误差修正 (α)",
  timesteps: "时间步数",
  speed: "每秒时间步数",
  other: "换一个数字",
  again: "换一组噪声",
  authors: "作者的权重",
  off: "无反馈，无修正",
  reset: "重置",
  whatTitle: "你看到的是什么",
  what1:
    "分类器先学习干净的数字，随后权重被冻结，小型解码器在没有标签的情况下学习由每一层预测该层的输入。测试时，预测作为反馈返回，预测误差牵引各层。",
  what2:
    "各层的权重决定一切。在带噪声的数字上调优后，噪声为 0.4 时的正确率从 21 % 升到 77 %，而干净数字上从 98.7 % 降到 95.6 %。作者的权重是为其他网络选择的，在这里几乎没有变化。",
  what3:
    "先把误差修正设为 0，再把反馈设为 0，比较一下：哪一个在起作用？两者都为 0 且 β = 1 时，网络就是单独的分类器。",
  tunedValues: "调优后的权重，第 1 至 4 层：",
  equations: "方程",
  equationHelp:
    "r_i 是第 i 层的表征，f_i 是下一层对它的驱动，p_(i+1) 是来自上一层的预测，e_i 是该层自身预测的均方误差。第 4 层没有反馈。s_i 使步长不依赖于层的大小。",
  code: "显示代码",
  device: "在本标签页中计算，设备：",
  perStep: "毫秒/时间步",
  figures: "在 1,000 个测试数字上：",
  opening: "正在加载网络……",
  source:
    "方法：Choksi et al., NeurIPS 2021 (arXiv:2106.02749)，这里用于识别数字的小型 VGG11。权重与数值由 Striate 训练和测量 (striate models)。数字：MNIST 测试集，CC BY-SA 3.0。",
};
