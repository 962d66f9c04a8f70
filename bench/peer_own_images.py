"""Training of a ResNet-18 from a folder of JPEG files in PyTorch eager, with a DataLoader of two workers."""

import math
import os
import random

import numpy
import torch
import torch.nn.functional as F
from PIL import Image

from peer_vonenet import Block

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)


class Folder(torch.utils.data.Dataset):
    """Images of one folder for each class: a random crop of 35 to 100 % of the area, mirrored half of the time."""

    def __init__(self, root, size):
        classes = sorted(os.listdir(root))
        self.files = [
            (os.path.join(root, name, file), label)
            for label, name in enumerate(classes)
            for file in sorted(os.listdir(os.path.join(root, name)))
        ]
        self.size = size

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path, label = self.files[index]
        image = Image.open(path).convert("RGB")
        box = self.box(*image.size)
        image = image.resize((self.size, self.size), Image.BILINEAR, box)
        if random.random() < 0.5:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        values = (numpy.asarray(image, numpy.float32) / 255 - MEAN) / STD
        return torch.from_numpy(values.transpose(2, 0, 1).copy()), label

    @staticmethod
    def box(width, height):
        for _ in range(10):
            area = width * height * random.uniform(0.35, 1)
            ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if w <= width and h <= height:
                left, top = random.randint(0, width - w), random.randint(0, height - h)
                return left, top, left + w, top + h
        return 0, 0, width, height


def resnet18(classes):
    layers = [
        torch.nn.Conv2d(3, 64, 7, 1, 3, bias=False),
        torch.nn.BatchNorm2d(64),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, 2, 1),
    ]
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512)):
        for i in range(2):
            layers.append(Block(inputs, outputs, 2 if stage > 0 and i == 0 else 1))
            inputs = outputs
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(512, classes))


def own_images(folder, size, batch, classes):
    torch.manual_seed(0)
    model = resnet18(classes).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0125, momentum=0.9, nesterov=True, weight_decay=5e-4)
    data = torch.utils.data.DataLoader(Folder(folder, size), batch, shuffle=True, num_workers=2, drop_last=True)
    batches = iter(())

    def step():
        nonlocal batches
        found = next(batches, None)
        if found is None:
            batches = iter(data)
            found = next(batches)
        images, labels = found
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels, label_smoothing=0.1).backward()
        optimizer.step()

    return step
