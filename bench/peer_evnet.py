"""EVNet's retina, and V1 behind it, in PyTorch eager for the benchmark: square kernels on all channels, as in its equations."""

import math

import torch
import torch.nn.functional as F

from peer_vonenet import VOneBlock

# Radii of centre, surround and pool in pixels at 32 pixels per degree; ratio, c50, n and gain.
P = (1.494800846305186, 7.1528, 13.4115, -0.011894632845946745, 1.0, 1.0, 5.29525198895458)
M = (2.4203904, 17.091879253424104, 28.872192, -0.0037506100912582663, 0.18501829502844522, 0.8068704487883759, 2.8494928592250206)
RG, GR, BY = ((1, 0, 0), (0, 1, 0)), ((0, 1, 0), (1, 0, 0)), ((0, 0, 1), (0.5, 0.5, 0))
WB = ((1 / 3,) * 3,) * 2


def gaussian(radius, side):
    t = torch.arange(side, dtype=torch.float64) - side // 2
    line = torch.exp(-((t / radius) ** 2))
    return line[:, None] * line[None]


def side(radius, largest):
    return min(2 * math.ceil(radius / 2**0.5 * math.sqrt(-2 * math.log(0.25))) + 1, largest)


class Pathway(torch.nn.Module):
    def __init__(self, constants, cells, size, degrees):
        super().__init__()
        scale, largest = size / degrees / 32, 2 * size - 1
        rc, rs, rn = (radius * scale for radius in constants[:3])
        ratio, self.c50, self.n, self.gain = constants[3:]
        k, pool = side(rs, largest), side(rn, largest)
        centre, surround = gaussian(rc, k), ratio * gaussian(rs, k)
        kernels = torch.stack([torch.stack([a * centre + b * surround for a, b in zip(*cell)]) for cell in cells])
        self.dog = (kernels / kernels.sum((1, 2, 3), keepdim=True).abs()).float()
        window = gaussian(rn, pool)
        self.pool = (window / window.sum()).float().repeat(len(cells), 1, 1, 1)
        self.reach = (k // 2, pool // 2)

    def forward(self, u):
        dog, pool = self.reach
        d = F.conv2d(F.pad(u, [dog] * 4, mode="reflect"), self.dog)
        energy = F.conv2d(F.pad(d * d, [pool] * 4, mode="reflect"), self.pool, groups=len(self.pool))
        return self.gain * d / (torch.sqrt(energy) + self.c50) ** self.n


class Retina(torch.nn.Module):
    def __init__(self, size, degrees):
        super().__init__()
        self.p, self.m = Pathway(P, (RG, GR, BY), size, degrees), Pathway(M, (WB,), size, degrees)

    def forward(self, x):
        mean = x.mean((1, 2, 3), keepdim=True)
        u = (x - mean) / (mean + 1e-5)
        return torch.cat((self.p(u), self.m(u)), 1)


class V1(VOneBlock):
    """Cells that each see one of four channels, with the published gain and without a ReLU at the end."""

    def forward(self, x):
        return 5.3 * self.responses(x)


def evnet(part, batch, size, degrees):
    torch.manual_seed(0)
    x = torch.rand(batch, 3, size, size)
    stages = [Retina(size, degrees)] + ([V1(256, 256, 31, 4, channels=4)] if part == "front-end" else [])
    model = torch.nn.Sequential(*stages)

    def run():
        with torch.no_grad():
            model(x).mean()

    return run
