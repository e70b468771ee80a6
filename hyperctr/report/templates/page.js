// Draws the figures of a page: light, dark, and light again for paper. The first page has them small, too.
(function () {
  "use strict";
  const SMALL = 640; // pixels across, in which a thumbnail is drawn before it is shrunk
  const NARROW = 600; // pixels across; what is less is a phone
  const LETTER = 6.6; // pixels of a letter under a title
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

  // on a phone the lines under a title are broken once more, and the figure makes room for them
  function fold(layout, target) {
    const subtitle = layout.title && layout.title.subtitle;
    const across = target.clientWidth;
    if (!subtitle || across >= NARROW) {
      return;
    }
    const before = subtitle.text.split("<br>");
    const lines = [""];
    for (const word of before.join(" ").split(" ")) {
      const last = lines[lines.length - 1];
      if (last && (last.length + word.length) * LETTER > across) {
        lines.push(word);
      } else {
        lines[lines.length - 1] = last ? `${last} ${word}` : word;
      }
    }
    const more = (lines.length - before.length) * 16;
    subtitle.text = lines.join("<br>");
    layout.margin = Object.assign({}, layout.margin, { t: ((layout.margin || {}).t || 88) + more });
    layout.height = (layout.height || 420) + more;
    target.parentNode.style.height = layout.height + "px";
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
      fold(layout, chart.target);
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
