"""Predify in PyTorch eager for the benchmark: every pass computed in full, gradients of the errors by autograd."""

import torch
import torch.nn.functional as F

VGG = {
    "vgg11_bn": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "vgg16": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
}


class PredictiveVgg(torch.nn.Module):
    """VGG with a PCoder after the last ReLU of some stages."""

    def __init__(self, name, side, decoders):
        super().__init__()
        norm = name.endswith("_bn")
        layers, cin, cuts = [], 3, []
        for item in VGG[name]:
            if item == "M":
                cuts.append(len(layers) - 1)
                layers.append(torch.nn.MaxPool2d(2))
            else:
                layers.append(torch.nn.Conv2d(cin, item, 3, padding=1))
                layers += [torch.nn.BatchNorm2d(item)] if norm else []
                layers.append(torch.nn.ReLU())
                cin = item
        self.features = torch.nn.ModuleList(layers)
        grid = side // 32
        hidden = 512 if side == 32 else 4096
        sizes = [512 * grid * grid, hidden, hidden, 10 if side == 32 else 1000]
        dense = [m for a, b in zip(sizes, sizes[1:]) for m in (torch.nn.Linear(a, b), torch.nn.ReLU())]
        self.classifier = torch.nn.Sequential(*dense[:-1])
        self.decoders = torch.nn.ModuleList(decoders)
        self.cuts = cuts[: len(decoders)]
        self.requires_grad_(False)
        self.decoders.requires_grad_(True)
        self.eval()

    def reset(self, x):
        self.x, self.rep, self.prd, self.grd = x, {}, {}, {}

    def call(self, train=False):
        y, below, errors = self.x, self.x, []
        for i, layer in enumerate(self.features):
            with torch.no_grad():
                y = layer(y)
            if i not in self.cuts:
                continue
            n = self.cuts.index(i)
            if n in self.rep:
                with torch.no_grad():
                    last = n == len(self.cuts) - 1
                    feedback = 0.0 if last else 0.1
                    mixed = 0.4 * y + (0.6 - feedback) * self.rep[n]
                    if not last:
                        mixed = mixed + feedback * self.prd[n + 1]
                    y = mixed - 0.01 * self.grd[n]
            y = y.detach().requires_grad_(not train)
            with torch.enable_grad():
                prediction = self.decoders[n](y)
                error = F.mse_loss(prediction, below)
                if not train:
                    scale = prediction.numel() / 10.0
                    self.grd[n] = torch.autograd.grad(error, y)[0] * scale
            errors.append(error)
            self.rep[n], self.prd[n] = y.detach(), prediction.detach()
            y = below = self.rep[n]
        with torch.no_grad():
            return self.classifier(y.flatten(1)), errors


def predify(net, batch, steps, train):
    torch.manual_seed(0)
    convolution = torch.nn.ConvTranspose2d
    if net == "vgg16":
        side = 224
        pairs = [(128, 64, 10, 4), (256, 128, 14, 6), (512, 256, 14, 6), (512, 512, 14, 6)]
        decoders = [convolution(64, 3, 5, padding=2)] + [
            torch.nn.Sequential(convolution(a, b, k, stride=2, padding=p), torch.nn.ReLU()) for a, b, k, p in pairs
        ]
    else:
        side = 32
        decoders = [convolution(64, 3, 3, padding=1)] + [
            torch.nn.Sequential(
                torch.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                convolution(a, b, 3, padding=1),
            )
            for a, b in [(128, 64), (256, 128), (512, 256)]
        ]
        decoders[0] = torch.nn.Sequential(decoders[0])
    model = PredictiveVgg(net, side, decoders)
    x = torch.randn(batch, 3, side, side)
    optimizer = torch.optim.SGD(model.decoders.parameters(), lr=0.001, weight_decay=5e-4)

    def infer():
        model.reset(x)
        for _ in range(steps + 1):
            model.call()

    def step():
        optimizer.zero_grad()
        model.reset(x)
        _, errors = model.call(train=True)
        sum(errors).backward()
        optimizer.step()

    return step if train else infer
