/** The part of a player's script that listens to its button and its slider. */
export const CONTROLS_SCRIPT = `    button.addEventListener("click", () => {
      wanted = !timer;
      if (timer) pause();
      else play();
    });
    slider.addEventListener("input", () => {
      wanted = false;
      pause();
      show(Number(slider.value) - 1);
    });`;

/**
 * The script of the phase players. It draws the stored phases on canvases, plays and scrubs through the timesteps,
 * switches the palette, and shows the values under the pointer. It is plain browser JavaScript without imports; without
 * it, the page shows the last timestep and the film strips.
 */
export const PLAYER_SCRIPT = `
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const store = document.getElementById("phase-tables");
  if (!store) return;
  const tables = Object.fromEntries(Object.entries(JSON.parse(store.textContent)).map(([id, t]) => [id, bytes(t)]));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let palette = "uniform";

  function paint(canvas, panel, t, width, height) {
    const phase = panel.steps[Math.min(t, panel.steps.length - 1)];
    const amplitude = panel.amplitude[Math.min(t, panel.amplitude.length - 1)];
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const table = tables[palette];
    for (let p = 0; p < phase.length; p++) {
      image.data.set(table.subarray(3 * phase[p], 3 * phase[p] + 3), 4 * p);
      image.data[4 * p + 3] = amplitude[p];
    }
    context.putImageData(image, 0, 0);
  }

  function scatter(svg, panel, t, objects, groups, rim) {
    const phase = panel.steps[Math.min(t, panel.steps.length - 1)];
    const amplitude = panel.amplitude[Math.min(t, panel.amplitude.length - 1)];
    const paths = Array.from({ length: groups }, () => "");
    const sums = Array.from({ length: groups }, () => ({ x: 0, y: 0, total: 0 }));
    for (let p = 0; p < phase.length; p++) {
      const radius = (amplitude[p] / 255) * rim.radius;
      const angle = ((phase[p] + 0.5) / 256) * 2 * Math.PI - Math.PI;
      const sum = sums[objects[p]];
      sum.x += amplitude[p] * Math.cos(angle);
      sum.y += amplitude[p] * Math.sin(angle);
      sum.total += amplitude[p];
      if (radius < rim.threshold * rim.radius) continue;
      const x = rim.centre + radius * Math.cos(angle);
      const y = rim.centre - radius * Math.sin(angle);
      paths[objects[p]] += "M" + x.toFixed(1) + " " + y.toFixed(1) + "h0";
    }
    paths.forEach((d, k) => svg.querySelector(".object-" + k)?.setAttribute("d", d || "M0 0"));
    sums.forEach(({ x, y, total }, k) => {
      const [dx, dy] = total > 0 ? [x / total, y / total].map((part) => part * rim.radius) : [0, 0];
      const tip = (rim.centre + dx).toFixed(1) + " " + (rim.centre - dy).toFixed(1);
      const half = "a" + rim.ring + " " + rim.ring + " 0 0 1 ";
      const ring = "m" + rim.ring + " 0" + half + -2 * rim.ring + " 0" + half + 2 * rim.ring + " 0";
      const d = "M" + rim.centre + " " + rim.centre + (total > 0 ? "L" + tip + ring : "");
      svg.querySelector(".order-" + k)?.setAttribute("d", d);
    });
  }

  const players = Array.from(document.querySelectorAll("[data-player]"), (root) => {
    const data = JSON.parse(root.querySelector("script").textContent);
    const objects = bytes(data.objects);
    const panels = data.panels.map((panel) => ({
      name: panel.name,
      maximum: panel.maximum,
      steps: panel.steps.map(bytes),
      amplitude: panel.amplitude.map(bytes),
    }));
    const nodes = Array.from(root.querySelectorAll("[data-panel]"));
    const canvases = nodes.map((node) => {
      const picture = node.querySelector("img");
      const canvas = document.createElement("canvas");
      canvas.width = data.width;
      canvas.height = data.height;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", picture.alt);
      picture.replaceWith(canvas);
      return canvas;
    });
    const controls = root.querySelector(".controls");
    const button = controls.querySelector("button");
    const slider = controls.querySelector("input");
    const output = controls.querySelector("output");
    const readout = root.querySelector(".readout");
    const resting = readout.textContent;
    controls.hidden = false;
    readout.hidden = false;
    let now = data.timesteps - 1;
    let timer = 0;

    function show(t) {
      now = t;
      slider.value = String(t + 1);
      const text = "timestep " + (t + 1) + " of " + data.timesteps;
      slider.setAttribute("aria-valuetext", text);
      output.textContent = text;
      panels.forEach((panel, i) => {
        paint(canvases[i], panel, t, data.width, data.height);
        scatter(nodes[i].querySelector(".polar svg"), panel, t, objects, data.groups, data.rim);
      });
      root.querySelectorAll(".strip td[data-t]").forEach((cell) => cell.classList.toggle("now", Number(cell.dataset.t) === t));
    }
    function restrip() {
      const scratch = document.createElement("canvas");
      scratch.width = data.width;
      scratch.height = data.height;
      root.querySelectorAll(".strip td[data-t]").forEach((cell) => {
        paint(scratch, panels[Number(cell.dataset.row)], Number(cell.dataset.t), data.width, data.height);
        cell.querySelector("img").src = scratch.toDataURL();
      });
    }
    function pause() {
      clearTimeout(timer);
      timer = 0;
      button.textContent = "Play";
    }
    function play() {
      button.textContent = "Pause";
      const step = () => {
        show((now + 1) % data.timesteps);
        timer = setTimeout(step, now === data.timesteps - 1 ? 2200 : 420);
      };
      timer = setTimeout(step, 300);
    }
    let wanted = !calm.matches;
${CONTROLS_SCRIPT}
    calm.addEventListener("change", () => {
      if (calm.matches) {
        wanted = false;
        pause();
      }
    });
    new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) pause();
      else if (wanted && !timer) play();
    }, { threshold: 0.25 }).observe(root.querySelector(".panels"));

    canvases.forEach((canvas, i) => {
      const tell = (event) => {
        const box = canvas.getBoundingClientRect();
        const x = Math.min(data.width - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * data.width)));
        const y = Math.min(data.height - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * data.height)));
        const panel = panels[i];
        const p = y * data.width + x;
        const phase = panel.steps[Math.min(now, panel.steps.length - 1)][p];
        const level = panel.amplitude[Math.min(now, panel.amplitude.length - 1)][p];
        const angle = ((phase + 0.5) / 256) * 2 - 1;
        readout.textContent = panel.name + ", column " + x + ", row " + y + ": " + (level === 0 ? "silent" :
          "phase " + (angle < 0 ? "−" : "+") + Math.abs(angle).toFixed(2) + " π, amplitude " + ((level / 255) * panel.maximum).toFixed(2));
      };
      canvas.addEventListener("pointermove", tell);
      canvas.addEventListener("pointerdown", tell);
      canvas.addEventListener("pointerleave", () => { readout.textContent = resting; });
    });
    show(now);
    return { show: () => show(now), restrip };
  });

  document.querySelectorAll('input[name="palette"]').forEach((input) => {
    input.addEventListener("change", () => {
      palette = input.value;
      document.documentElement.dataset.palette = palette;
      for (const player of players) {
        player.show();
        player.restrip();
      }
      document.querySelectorAll("img[data-two-hue]").forEach((image) => {
        image.dataset.uniform ??= image.src;
        image.src = palette === "uniform" ? image.dataset.uniform : image.dataset.twoHue;
      });
    });
  });
  document.querySelectorAll(".palettes").forEach((set) => { set.hidden = false; });
})();
`;
