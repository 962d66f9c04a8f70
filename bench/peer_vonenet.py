"""VOneResNet-18 in PyTorch eager for the benchmark: both quadratures of all cells on three colours, as in its equations."""

import torch
import torch.nn.functional as F


class VOneBlock(torch.nn.Module):
    def __init__(self, simple, complex, size, stride, channels=3):
        super().__init__()
        self.simple = simple
        cells = simple + complex
        self.q0 = torch.nn.Conv2d(channels, cells, size, stride, size // 2, bias=False)
        self.q1 = torch.nn.Conv2d(channels, cells, size, stride, size // 2, bias=False)
        colour = torch.randint(0, channels, (cells,))
        with torch.no_grad():
            for conv in (self.q0, self.q1):
                conv.weight.mul_(F.one_hot(colour, channels)[:, :, None, None])
        self.requires_grad_(False)

    def responses(self, x):
        a, b = self.q0(x), self.q1(x)
        simple = F.relu(a[:, : self.simple])
        a, b = a[:, self.simple :], b[:, self.simple :]
        complex = torch.sqrt(a**2 + b**2) / 2**0.5
        return torch.cat((simple, complex), 1)

    def forward(self, x):
        return F.relu(25 * self.responses(x))


class Block(torch.nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            torch.nn.BatchNorm2d(outputs),
            torch.nn.ReLU(),
            torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            torch.nn.BatchNorm2d(outputs),
        )
        self.beside = torch.nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.beside = torch.nn.Sequential(
                torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False), torch.nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        return F.relu(self.body(x) + self.beside(x))


def voneresnet18():
    layers = [VOneBlock(256, 256, 31, 2), torch.nn.Conv2d(512, 64, 1, bias=False)]
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512)):
        for i in range(2):
            layers.append(Block(inputs, outputs, 2 if stage > 0 and i == 0 else 1))
            inputs = outputs
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(512, 200))


def vonenet(part, batch):
    torch.manual_seed(0)
    x = torch.rand(batch, 3, 64, 64) * 2 - 1
    model = VOneBlock(256, 256, 31, 2) if part == "block" else voneresnet18()
    labels = torch.randint(0, 200, (batch,))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1, momentum=0.9, weight_decay=5e-4) if trained else None
    model.train(part == "train")

    def infer():
        with torch.no_grad():
            model(x).mean()

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()

    return step if part == "train" else infer
