"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { nodes, ties, texts, kinds } = data;
  const one = (id) => document.getElementById(id);
  const count = new Intl.NumberFormat(data.lang);
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
  const stateText = Object.fromEntries(data.states.map((state) => [state.name, state.text]));
  const spread = (values) => Math.max(...values) - Math.min(...values) || 1;
  // A whole graph fills its place at zoom 1, so that lines and names keep their widths.
  const scale = Math.min((one("graph").clientWidth - 40) / spread(nodes.x), (one("graph").clientHeight - 40) / spread(nodes.y));
  const dot = Math.min(Math.max(Math.sqrt(500 / nodes.id.length), 0.4), 1) * (one("graph").clientWidth < 600 ? 0.5 : 0.65);
  const NAMED = 12;

  // What is shown: the same rule as network_panel.shown.
  function shown() {
    const some = kinds.map((kind) => one(kind.id).checked);
    const least = Number(one("least-value").value) || 0;
    const community = Number(one("community").value);
    const keep = nodes.id.map((_, at) =>
      (least <= 0 || (nodes.value[at] !== null && nodes.value[at] >= least)) &&
      (community === 0 || nodes.community[at] === community));
    const left = [], there = new Set();
    for (let n = 0; n < ties.kind.length; n++) {
      const [a, b] = [ties.source[n], ties.target[n]];
      if (some[ties.kind[n]] && keep[a] && keep[b]) { left.push(n); there.add(a); there.add(b); }
    }
    return { left, there };
  }

  function style() {
    const seen = getComputedStyle(document.documentElement);
    const colour = (name) => seen.getPropertyValue("--" + name).trim();
    const dots = { active: "active", dormant: "dormant", churned: "churned", never_bought: "never", not_graded: "other" };
    const lines = [
      { selector: "node", style: { width: "data(size)", height: "data(size)", "background-color": colour("other"),
        "border-width": 0.5, "border-color": colour("paper"), "font-size": 11, color: colour("ink"), "min-zoomed-font-size": 9,
        "text-outline-color": colour("paper"), "text-outline-width": 2, "text-valign": "top", "text-margin-y": -3 } },
      { selector: "node[label]", style: { label: "data(label)", "z-index": 8, "border-width": 1.5, "border-color": colour("ink") } },
      { selector: "node[?sad]", style: { "border-width": 3, "border-color": colour("churned") } },
      { selector: "edge", style: { width: 0.9, "line-color": colour("tie"), "curve-style": "haystack", "haystack-radius": 0, opacity: 0.9 } },
      { selector: "edge[line = 'dashed']", style: { "line-style": "dashed" } },
      { selector: "edge[line = 'dotted']", style: { "line-style": "dotted" } },
      { selector: "edge[line = 'own']", style: { "line-style": "dashed", "line-dash-pattern": [10, 3, 2, 3] } },
      { selector: "edge[?near]", style: { "line-color": colour("near"), width: 2, opacity: 1, "z-index": 5 } },
      { selector: "edge[?near][?arrow]", style: { "mid-target-arrow-shape": "triangle", "mid-target-arrow-color": colour("near") } },
      { selector: "node[?picked]", style: { "border-width": 4, "border-color": colour("link"), "z-index": 9 } },
    ];
    for (const [state, name] of Object.entries(dots)) {
      lines.splice(1, 0, { selector: `node[state = '${state}']`, style: { "background-color": colour(name) } });
    }
    return lines;
  }

  const cy = cytoscape({
    container: one("graph"), elements: [], style: style(), layout: { name: "preset" }, autoungrabify: true, boxSelectionEnabled: false,
    textureOnViewport: true, hideEdgesOnViewport: nodes.id.length > 1500, pixelRatio: nodes.id.length > 1500 ? 1 : "auto",
    minZoom: 0.1, maxZoom: 12,
  });
  cy.userZoomingEnabled(false); // a page is scrolled with the same gesture; the buttons come closer

  let picked = null;

  function draw(fit) {
    const { left, there } = shown();
    const elements = [];
    const named = new Set([...there].sort((a, b) => nodes.place[a] - nodes.place[b] || a - b).slice(0, NAMED));
    // The small above the large.
    for (const at of [...there].sort((a, b) => nodes.size[b] - nodes.size[a] || a - b)) {
      const about = { id: "n" + at, at, size: nodes.size[at] * dot, state: nodes.state[at], sad: nodes.sad[at] };
      if (named.has(at) || at === picked) about.label = nodes.name[at];
      if (at === picked) about.picked = 1;
      elements.push({ group: "nodes", data: about, position: { x: nodes.x[at] * scale, y: nodes.y[at] * scale } });
    }
    for (const n of left) {
      const [a, b] = [ties.source[n], ties.target[n]];
      const near = a === picked || b === picked ? 1 : 0;
      elements.push({ group: "edges", data: { id: "t" + n, source: "n" + a, target: "n" + b, line: kinds[ties.kind[n]].line, arrow: kinds[ties.kind[n]].arrow, near } });
    }
    cy.batch(() => { cy.elements().remove(); cy.add(elements); });
    if (fit) cy.fit(undefined, 20);
    one("shown-count").textContent = filled(texts.shown, {
      customers: count.format(there.size), all: count.format(nodes.id.length),
      ties: count.format(left.length), every: count.format(ties.kind.length),
    });
    return { left, there };
  }

  function pick(at) {
    picked = at;
    let { left, there } = draw(false);
    if (!there.has(at)) { // hidden by a filter: who is asked for is shown
      one("least-value").value = 0;
      one("community").value = "0";
      for (const kind of kinds) one(kind.id).checked = true;
      ({ left, there } = draw(false));
    }
    const mine = left.filter((n) => ties.source[n] === at || ties.target[n] === at);
    one("chosen").textContent = filled(texts.about, {
      name: nodes.id[at], place: count.format(nodes.place[at]), reach: count.format(nodes.reach[at]),
      value: nodes.shown[at], state: stateText[nodes.state[at]], ties: count.format(mine.length),
    });
    const around = cy.getElementById("n" + at).closedNeighborhood();
    if (around.length) cy.fit(around, 60);
    if (cy.zoom() > 4) { cy.zoom(4); cy.center(around); }
  }

  cy.on("tap", "node", (event) => pick(event.target.data("at")));
  for (const kind of kinds) one(kind.id).addEventListener("change", () => draw(true));
  one("least-value").addEventListener("input", () => draw(true));
  one("community").addEventListener("change", () => draw(true));
  one("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = one("search").value.trim().toLowerCase();
    const at = wanted ? nodes.id.findIndex((id) => id.toLowerCase().startsWith(wanted) || id.toLowerCase().startsWith("c-" + wanted)) : -1;
    if (at >= 0) pick(at); else one("chosen").textContent = texts.nobody;
  });
  const zoom = (by) => cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  one("closer").addEventListener("click", () => zoom(1.5));
  one("further").addEventListener("click", () => zoom(1 / 1.5));
  one("whole").addEventListener("click", () => cy.fit(undefined, 20));
  for (const button of document.querySelectorAll("button.choose")) {
    button.addEventListener("click", () => { pick(Number(button.dataset.at)); one("graph").scrollIntoView({ block: "nearest" }); });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy.style(style()));
  addEventListener("resize", () => { cy.resize(); cy.fit(undefined, 20); });

  if (data.first > 0) { one("least-value").value = data.first; one("at-first").hidden = false; }
  cy.one("render", () => { document.documentElement.dataset.ready = String(Math.round(performance.now())); });
  draw(true);
})();
