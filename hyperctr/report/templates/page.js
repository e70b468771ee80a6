// Draws the figures of a page: light, dark, and light again for paper. The first page has them small, too.
(function () {
  "use strict";
  const SMALL = 640; // pixels across, in which a thumbnail is drawn before it is shrunk
  const NARROW = 600; // pixels across; what is less is a phone
  const LETTERS = { title: 8.7, subtitle: 7.2, axis: 8.4, legend: 7.4 }; // pixels across of one, where fonts are wide
  const PANEL = 300; // pixels across of one of several panels on a phone: the next looks in, and the figure is scrolled
  const ROW = 22; // pixels of a row of the legend
  const PRINTED = { false: 680, true: 216 }; // pixels across on paper: of a figure, of a thumbnail
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = Array.from(document.querySelectorAll("figure.chart, .thumbnail"), (box) => {
    const source = box.querySelector("script").textContent;
    const target = box.appendChild(document.createElement("div"));
    return { source, target, small: box.classList.contains("thumbnail") };
  });

  function shrink(figure, target, across) {
    const layout = figure.layout;
    const height = layout.height || 420;
    delete layout.title;
    layout.showlegend = false;
    layout.margin = Object.assign({}, layout.margin, { t: 30, b: 40, r: 12 });
    figure.config = { staticPlot: true };
    layout.width = SMALL;
    layout.height = Math.min(height, 440);
    const scale = (across || target.parentNode.clientWidth) / SMALL;
    Object.assign(target.style, { width: SMALL + "px", height: layout.height + "px", transform: `scale(${scale})` });
  }

  function broken(text, across) {
    const lines = [""];
    for (const word of text.replaceAll("<br>", " ").split(" ")) {
      const last = lines[lines.length - 1];
      if (last && last.length + word.length >= across) {
        lines.push(word);
      } else {
        lines[lines.length - 1] = last ? `${last} ${word}` : word;
      }
    }
    return lines;
  }

  // on a phone titles are broken once more and the legend stands below all else, each with room that the figure makes;
  // several panels keep a width at which they can be read, and no buttons lie over the title
  function fold(figure, target) {
    const layout = figure.layout;
    const across = target.clientWidth;
    if (across >= NARROW) {
      return;
    }
    const axes = Object.keys(layout).filter((name) => name.startsWith("xaxis"));
    const columns = new Set(axes.map((name) => (layout[name].domain || [0])[0])).size;
    const width = Math.max(across, columns > 1 ? columns * PANEL : (layout.meta || {}).least_width || 0);
    const margin = Object.assign({ t: 88, b: 56 }, layout.margin);
    const before = margin.t + margin.b;
    const title = layout.title || {};
    for (const [part, letter, height] of [[title, LETTERS.title, 20], [title.subtitle || {}, LETTERS.subtitle, 16]]) {
      if (part.text) {
        const lines = broken(part.text, (across - 16) / letter);
        margin.t += (lines.length - part.text.split("<br>").length) * height;
        part.text = lines.join("<br>");
      }
    }
    for (const name of columns > 1 ? [] : axes) {
      const words = layout[name].title || {};
      words.text = words.text && broken(words.text, (width - 110) / LETTERS.axis).join("<br>");
    }
    const names = figure.data.filter((trace) => trace.name && trace.showlegend !== false).map((trace) => trace.name);
    if (names.length > 1 && layout.showlegend !== false) {
      const widest = 48 + LETTERS.legend * Math.max(...names.map((name) => name.length));
      const rows = Math.ceil(names.length / Math.max(1, Math.floor((width - 24) / widest)));
      const corner = { x: 0, xanchor: "left", xref: "container", y: 0, yanchor: "bottom", yref: "container" };
      layout.legend = Object.assign({}, layout.legend, corner, { orientation: "h" });
      margin.b = 72 + rows * ROW;
    }
    layout.margin = margin;
    layout.height = (layout.height || 420) + margin.t + margin.b - before;
    target.parentNode.style.height = layout.height + "px";
    if (width > across) {
      layout.width = width;
    }
    figure.config = Object.assign({}, figure.config, { displayModeBar: false });
  }

  function draw(chart, ink, width) {
    const figure = JSON.parse(chart.source);
    const layout = figure.layout;
    const template = (layout.template = layout.template || {});
    template.layout = template.layout || {};
    template.layout.font = Object.assign({}, template.layout.font, { color: ink });
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    if (chart.small) {
      shrink(figure, chart.target, width);
    } else if (width) {
      layout.width = width;
    } else {
      fold(figure, chart.target);
    }
    return Plotly.newPlot(chart.target, figure.data, layout, Object.assign({ responsive: true }, figure.config));
  }

  function drawAll() {
    for (const chart of charts) {
      draw(chart, dark.matches ? "#d5dbe3" : "#24292f");
    }
  }

  if (!charts.length) {
    return;
  }
  if (typeof Plotly === "undefined") {
    for (const chart of charts.filter((chart) => !chart.small)) {
      chart.target.textContent = "This figure needs assets/plotly.min.js: keep the assets folder beside the page.";
    }
    return;
  }
  drawAll();
  dark.addEventListener("change", drawAll);
  window.addEventListener("beforeprint", () => charts.forEach((chart) => draw(chart, "#24292f", PRINTED[chart.small])));
  window.addEventListener("afterprint", drawAll);
})();
