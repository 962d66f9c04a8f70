"""The PyTorch side of `npm run bench`: reads one JSON request a line, times it, answers with one JSON line."""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F

from peer_akorn import akorn
from peer_evnet import evnet
from peer_own_images import own_images
from peer_predify import predify
from peer_vonenet import vonenet

torch.set_num_threads(2)
cache = {}


def matmul(size):
    a, b = torch.randn(size, size), torch.randn(size, size)
    return lambda: a @ b


def conv(n, cin, cout, hw, k, train):
    x = torch.randn(n, cin, hw, hw, requires_grad=train)
    w = torch.randn(cout, cin, k, k, requires_grad=train)
    g = torch.randn(n, cout, hw, hw)

    def infer():
        with torch.no_grad():
            F.conv2d(x, w, padding=k // 2)

    def step():
        x.grad = w.grad = None
        F.conv2d(x, w, padding=k // 2).backward(g)

    return step if train else infer


class Complex(torch.nn.Module):
    """A complex layer: real weights act on both parts; the magnitude is the mean of |f(z)| and f(|z|)."""

    def __init__(self, layer, norm, last=False):
        super().__init__()
        self.f, self.norm, self.last = layer, norm, last

    def forward(self, z):
        w, b = self.f.weight, self.f.bias
        psi = torch.complex(self.f(z.real), self.f(z.imag))
        m = 0.5 * psi.abs() + 0.5 * self.f(z.abs())
        if self.last:
            return m - m.max(1, keepdim=True)[0] / 3
        return torch.polar(F.relu(self.norm(m)), psi.angle())


class KomplexNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gabor = torch.nn.Conv2d(1, 8, 5, padding=2, bias=False)
        r = torch.linspace(-1, 1, 13)
        plane = torch.exp(-(r[:, None] ** 2 + r[None] ** 2) / 18)
        self.kernel = torch.nn.Parameter(plane.expand(8, 8, 13, 13).clone())
        self.a = Complex(torch.nn.Conv2d(8, 8, 3, 2, 1), torch.nn.InstanceNorm2d(8, affine=True))
        self.b = Complex(torch.nn.Linear(2048, 50), torch.nn.LayerNorm(50))
        self.c = Complex(torch.nn.Linear(50, 10), None, last=True)

    def forward(self, x, steps):
        amp = F.relu(self.gabor(x))
        phi = 2 * math.pi * torch.rand_like(amp) - math.pi
        gate = torch.tanh(amp)
        logits = []
        for _ in range(steps):
            cos, sin = gate * phi.cos(), gate * phi.sin()
            cc, cs = F.conv2d(cos, self.kernel, padding=6), F.conv2d(sin, self.kernel, padding=6)
            sc, ss = cos.sum((1, 2, 3), keepdim=True), sin.sum((1, 2, 3), keepdim=True)
            phi = phi + 0.006 * (phi.cos() * (cs - 0.202 * ss) - phi.sin() * (cc - 0.202 * sc))
            z = torch.polar(amp, phi)
            logits.append(self.c(self.b(self.a(z).flatten(1))))
        return torch.stack(logits), phi, amp


class FeedbackNet(KomplexNet):
    """The recurrent model, its feedback written out over all pairs of units, as in the authors' equations."""

    def __init__(self):
        super().__init__()
        self.k2 = torch.nn.Parameter(torch.full((8, 8, 11, 11), 1e-6))
        self.k3 = torch.nn.Parameter(torch.full((8, 50), 1e-6))
        self.k4 = torch.nn.Parameter(torch.full((8, 10), 1e-6))

    def readout(self, z):
        w, b = self.c.f.weight, self.c.f.bias
        psi = torch.complex(self.c.f(z.real), self.c.f(z.imag))
        m = 0.5 * psi.abs() + 0.5 * F.linear(z.abs(), w, b)
        return m - m.max(1, keepdim=True)[0] / 3, m * torch.exp(1j * psi.angle())

    @staticmethod
    def pull(phi, units, kernel):
        """Sums the sines [batch, channels, units, height, width] over the units."""
        gate, angle = torch.tanh(units.abs()), units.angle()
        channels = []
        for c in range(phi.shape[1]):
            weight = (kernel[c] * gate)[:, :, None, None]
            channels.append((weight * torch.sin(angle[:, :, None, None] - phi[:, c : c + 1])).sum(1))
        return 0.006 * torch.stack(channels, 1)

    def forward(self, x, steps):
        amp = F.relu(self.gabor(x))
        phi = 2 * math.pi * torch.rand_like(amp) - math.pi
        gate = torch.tanh(amp)
        logits, seen = [], None
        for _ in range(steps):
            cos, sin = gate * phi.cos(), gate * phi.sin()
            cc, cs = F.conv2d(cos, self.kernel, padding=6), F.conv2d(sin, self.kernel, padding=6)
            sc, ss = cos.sum((1, 2, 3), keepdim=True), sin.sum((1, 2, 3), keepdim=True)
            change = 0.006 * (phi.cos() * (cs - 0.202 * ss) - phi.sin() * (cc - 0.202 * sc))
            if seen is not None:
                a, h, r = seen
                g, t = torch.tanh(a.abs()), a.angle()
                args = dict(stride=2, padding=5, output_padding=1)
                fc = F.conv_transpose2d(g * t.cos(), self.k2, **args)
                fs = F.conv_transpose2d(g * t.sin(), self.k2, **args)
                change = change + 0.006 * (phi.cos() * fs - phi.sin() * fc)
                change = change + self.pull(phi, h, self.k3) + self.pull(phi, r, self.k4)
            phi = phi + change
            a = self.a(torch.polar(amp, phi))
            h = self.b(a.flatten(1))
            scores, r = self.readout(h)
            seen = (a, h, r)
            logits.append(scores)
        return torch.stack(logits), phi, amp


def synchrony_loss(phi, amp, masks):
    phi = torch.where(amp != 0, phi, torch.zeros_like(phi))[:, None]
    m = masks[:, 1:, None]
    x, y = (phi.cos() * m).sum((3, 4)), (phi.sin() * m).sum((3, 4))
    n = m.sum((3, 4)).clamp(min=1)
    order = torch.sqrt(x**2 + y**2 + 1e-30) / n
    theta = torch.atan2(y.mean(2), x.mean(2))
    g = theta.shape[1]
    desynch = (theta.cos().sum(1) ** 2 + theta.sin().sum(1) ** 2) / (2 * g)
    return ((1 - order.mean((1, 2))) + desynch).mean() / (1 + g / 2)


def komplexnet(batch, steps, train, net=KomplexNet):
    torch.manual_seed(0)
    net = net()
    x = torch.rand(batch, 1, 32, 32) * (torch.rand(batch, 1, 32, 32) < 0.2)
    y = (torch.rand(batch, 10) < 0.2).float()
    masks = (torch.rand(batch, 3, 32, 32) < 0.1).float()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

    def infer():
        with torch.no_grad():
            net(x, steps)

    def step():
        optimizer.zero_grad()
        logits, phi, amp = net(x, steps)
        loss = F.binary_cross_entropy_with_logits(logits, y.expand_as(logits)) + synchrony_loss(phi, amp, masks)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2)
        optimizer.step()

    return step if train else infer


class Block(torch.nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.c1 = torch.nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.n1 = torch.nn.BatchNorm2d(cout)
        self.c2 = torch.nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.n2 = torch.nn.BatchNorm2d(cout)
        self.side = torch.nn.Identity()
        if stride > 1 or cin != cout:
            conv = torch.nn.Conv2d(cin, cout, 1, stride, bias=False)
            self.side = torch.nn.Sequential(conv, torch.nn.BatchNorm2d(cout))

    def forward(self, x):
        return F.relu(self.n2(self.c2(F.relu(self.n1(self.c1(x))))) + self.side(x), inplace=True)


def resnet18():
    layers = [torch.nn.Conv2d(3, 64, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(64), torch.nn.ReLU(True)]
    layers.append(torch.nn.MaxPool2d(3, 2, 1))
    cin = 64
    for stage, cout in enumerate([64, 128, 256, 512]):
        layers += [Block(cin, cout, 2 if stage else 1), Block(cout, cout, 1)]
        cin = cout
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(512, 1000))


def pgd(batch, side, steps):
    torch.manual_seed(0)
    net = resnet18().eval().requires_grad_(False)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    clean, labels, epsilon = torch.rand(batch, 3, side, side), torch.arange(batch) * 100, 4 / 255

    def attack():
        x = clean
        for _ in range(steps):
            x = x.detach().requires_grad_()
            loss = F.cross_entropy(net((x - mean) / std), labels, reduction="sum")
            (g,) = torch.autograd.grad(loss, x)
            with torch.no_grad():
                x = x + epsilon / 4 * g.sign()
                x = torch.minimum(torch.maximum(x, clean - epsilon), clean + epsilon).clamp(0, 1)
        return x

    return attack


def komplexnet_feedback(batch, steps, train):
    return komplexnet(batch, steps, train, FeedbackNet)


CASES = {"matmul": matmul, "conv": conv, "komplexnet": komplexnet, "komplexnet_feedback": komplexnet_feedback, "pgd": pgd, "predify": predify, "akorn": akorn, "vonenet": vonenet, "evnet": evnet, "own_images": own_images}

for line in sys.stdin:
    request = json.loads(line)
    key = json.dumps([request["case"], request["options"]], sort_keys=True)
    if key not in cache:
        cache.clear()
        cache[key] = CASES[request["case"]](**request["options"])
        cache[key]()
    seconds = []
    for _ in range(request["runs"]):
        start = time.perf_counter()
        cache[key]()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds, "torch": torch.__version__}), flush=True)
