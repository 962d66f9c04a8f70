"""AKOrN in PyTorch eager for the benchmark, written from its equations: every step computed in full, autograd."""

import math

import torch
import torch.nn.functional as F


def unit(x, n):
    """Normalises every n consecutive channels of x [batch, channels, ...] to length 1."""
    return F.normalize(x.unflatten(1, (-1, n)), dim=2).flatten(1, 2)


class Rotations(torch.nn.Module):
    """Rotates every plane of a head by a 2 x 2 matrix for each position; `back` rotates the other way, for the result."""

    def __init__(self, height, width, head, back=False):
        super().__init__()
        count = math.ceil(head / 4)
        frequency = 10000.0 ** (-torch.arange(count) / count)
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        place = torch.stack([rows, columns], -1).reshape(-1, 1, 2)
        angle = (place * frequency[:, None]).flatten(1)[:, : head // 2]
        cos, sin = angle.cos(), angle.sin() * (-1 if back else 1)
        self.matrix = torch.nn.Parameter(torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2)))

    def forward(self, x):
        """x: [batch, heads, positions, head]."""
        pairs = x.unflatten(-1, (-1, 1, 2))
        return (self.matrix * pairs).sum(-1).flatten(-2)


class Attention(torch.nn.Module):
    """Self-attention over all positions, heads interleaved."""

    def __init__(self, channels, heads, grid):
        super().__init__()
        self.heads = heads
        self.qkv = torch.nn.Conv2d(channels, 3 * channels, 1)
        self.out = torch.nn.Conv2d(channels, channels, 1)
        head = channels // heads
        self.turn = torch.nn.ModuleList([Rotations(*grid, head, back=i == 3) for i in range(4)])

    def forward(self, x):
        def split(y):
            return y.flatten(2).unflatten(1, (-1, self.heads)).permute(0, 2, 3, 1)

        q, k, v = (turn(split(y)) for turn, y in zip(self.turn, self.qkv(x).chunk(3, 1)))
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
        y = self.turn[3](weights @ v).permute(0, 3, 1, 2).reshape(x.shape)
        return self.out(y)


class Kuramoto(torch.nn.Module):
    """T steps of coupled oscillators; without natural frequencies, x takes the place of Omega x."""

    def __init__(self, channels, n, coupling, steps, norm=False, omega=None):
        super().__init__()
        self.n, self.coupling, self.steps = n, coupling, steps
        self.norm = torch.nn.GroupNorm(channels // n, channels) if norm else torch.nn.Identity()
        self.omega = None if omega is None else torch.nn.Parameter(torch.full((2,), omega / math.sqrt(2)))

    def turned(self, x):
        if self.omega is None:
            return x
        a, b = x.unflatten(1, (-1, 2)).unbind(2)
        return self.omega.norm() * torch.stack([b, -a], 2).flatten(1, 2)

    def forward(self, x, c, gamma):
        c, x, energies = self.norm(c), unit(x, self.n), []
        for _ in range(self.steps):
            y = self.coupling(x) + c
            agreement = (x * y).unflatten(1, (-1, self.n))
            energies.append(-agreement.flatten(1).sum(1))
            along = agreement.sum(2, keepdim=True)
            tangent = y - (along * x.unflatten(1, (-1, self.n))).flatten(1, 2)
            x = unit(x + gamma * (self.turned(x) + tangent), self.n)
        return x, energies


class ReadOut(torch.nn.Module):
    def __init__(self, inputs, outputs, components, kernel):
        super().__init__()
        self.components = components
        self.conv = torch.nn.Conv2d(inputs, outputs * components, kernel, padding=kernel // 2)
        self.bias = torch.nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        vectors = self.conv(x).unflatten(1, (-1, self.components))
        return vectors.norm(dim=2) + self.bias[:, None, None]


class Residual(torch.nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def block(channels, components, kernel, norm):
    def part():
        layers = [torch.nn.BatchNorm2d(channels)] if norm else []
        return [*layers, torch.nn.ReLU(), torch.nn.Conv2d(channels, channels, kernel, padding=kernel // 2)]

    return torch.nn.Sequential(
        ReadOut(channels, channels, components, kernel), Residual(*part(), *part()), *part()
    )


class Objects(torch.nn.Module):
    def __init__(self, channels, size, patch, steps):
        super().__init__()
        side = size // patch
        self.patches = torch.nn.Conv2d(3, channels, patch, stride=patch)
        self.layer = Kuramoto(channels, 4, Attention(channels, 8, (side, side)), steps)
        self.readout = ReadOut(channels, channels, 4, 1)
        self.head = torch.nn.Sequential(
            torch.nn.Linear(channels, 4 * channels), torch.nn.ReLU(), torch.nn.Linear(4 * channels, channels)
        )

    def forward(self, images):
        c = self.patches(images * 2 - 1)
        x, _ = self.layer(torch.randn_like(c), c, 1.0)
        return self.head(self.readout(x).amax((2, 3)))

    def loss(self, images):
        z = F.normalize(self(images))
        both = torch.cat([z[0::2], z[1::2]])
        logits = both @ both.T / 0.1 - 1e8 * torch.eye(len(both))
        return F.cross_entropy(logits, torch.arange(len(both)).roll(len(both) // 2))


class Sudoku(torch.nn.Module):
    def __init__(self, channels, steps):
        super().__init__()
        self.embedding = torch.nn.Embedding(10, channels)
        self.gamma = torch.nn.Parameter(torch.ones(1))
        self.layer = Kuramoto(channels, 4, Attention(channels, 8, (9, 9)), steps, omega=0.5)
        self.readout = block(channels, 4, 1, norm=False)
        self.out = torch.nn.Conv2d(channels, 9, 1)

    def forward(self, digits):
        c = self.embedding(digits).permute(0, 3, 1, 2).contiguous()
        given = (digits > 0)[:, None].float()
        x, _ = self.layer(given * c + (1 - given) * torch.randn_like(c), c, self.gamma)
        return self.out(self.readout(x).relu())

    def loss(self, batch):
        digits, solution = batch
        return F.cross_entropy(self(digits), solution)


class Recognition(torch.nn.Module):
    def __init__(self, channels, steps, n=2, kernels=(9, 7, 5)):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, channels, 3, padding=1, bias=False)
        widths = [channels * 2**i for i in range(len(kernels))]
        self.down = torch.nn.ModuleList(
            torch.nn.Conv2d(width, 2 * width, 3, stride=2, padding=1) for width in widths[:-1]
        )
        self.layers = torch.nn.ModuleList(
            Kuramoto(width, n, torch.nn.Conv2d(width, width, k, padding=k // 2), steps, norm=True, omega=1.0)
            for width, k in zip(widths, kernels)
        )
        self.readouts = torch.nn.ModuleList(block(width, 2, 3, norm=True) for width in widths)
        self.out = torch.nn.Linear(widths[-1], 10)

    def forward(self, images):
        c = self.stem(images * 2 - 1)
        x = torch.randn_like(c)
        for i, (layer, readout) in enumerate(zip(self.layers, self.readouts)):
            if i > 0:
                x, c = self.down[i - 1](x), self.down[i - 1](c)
            x, _ = layer(x, c, 1.0)
            c = readout(x)
        return self.out(c.mean((2, 3)))

    def loss(self, batch):
        images, labels = batch
        return F.cross_entropy(self(images), labels)


def akorn(net, batch, steps, train):
    torch.manual_seed(0)
    if net == "objects":
        model, clip, rate = Objects(128, 32, 4, steps), None, 1e-3
        inputs = data = torch.rand(batch, 3, 32, 32)
    elif net == "sudoku":
        model, clip, rate = Sudoku(128, steps), 1.0, 1e-3
        solution = torch.randint(0, 9, (batch, 9, 9))
        inputs = (solution + 1) * (torch.rand(batch, 9, 9) < 0.4)
        data = (inputs, solution)
    else:
        model, clip, rate = Recognition(64, steps), None, 1e-4
        inputs = torch.rand(batch, 3, 32, 32)
        data = (inputs, torch.randint(0, 10, (batch,)))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    model.train(train)

    def infer():
        with torch.no_grad():
            model(inputs)

    def step():
        optimizer.zero_grad()
        model.loss(data).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

    return step if train else infer
