// Charts from json_script data: <div class="chart" data-chart="bars|line" data-from="id">. SVG renderer, tooltips
// as rich text (HTML tooltips would need inline styles). Numbers only draw; what is read was written by the server.
(function () {
  "use strict";
  const language = document.documentElement.lang || "en";
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 4 });
  const axis = { axisLabel: { formatter: function (v) { return compact.format(v).replace("-", "\u2212"); }, color: "#536074", hideOverlap: true },
                 splitLine: { lineStyle: { color: "#e4e8ee" } } };
  const font = { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12, color: "#1b2533" };
  const tooltip = { renderMode: "richText", confine: true, backgroundColor: "#14284b", borderWidth: 0, textStyle: { color: "#fff", fontSize: 12 } };

  function bars(data) {
    const rows = data.bars.slice().reverse();
    return {
      textStyle: font,
      grid: { left: 8, right: 24, top: 8, bottom: 4, containLabel: true },
      tooltip: Object.assign({}, tooltip, { trigger: "item", formatter: function (p) { return rows[p.dataIndex].label + "\n" + rows[p.dataIndex].text; } }),
      xAxis: Object.assign({ type: "value" }, axis),
      yAxis: { type: "category", data: rows.map(function (r) { return r.label; }), axisTick: { show: false }, axisLabel: { color: "#1b2533", width: 130, overflow: "truncate" } },
      series: [{ type: "bar", barMaxWidth: 22, cursor: rows.some(function (r) { return r.url; }) ? "pointer" : "default",
                 data: rows.map(function (r) { return { value: r.value, itemStyle: { color: r.value < 0 ? "#c2570c" : "#2f6fd0", borderRadius: 2 } }; }) }]
    };
  }
  function line(data) {
    const rows = data.line;
    const series = { type: "line", step: data.step === false ? false : "end", showSymbol: rows.length < 16, symbolSize: 5, lineStyle: { width: 2, color: "#2f6fd0" }, itemStyle: { color: "#2f6fd0" },
                     areaStyle: { color: "#2f6fd0", opacity: 0.08 }, data: rows.map(function (r) { return r.value; }) };
    if (data.floor !== null && data.floor !== undefined) {
      series.markLine = { silent: true, symbol: "none", lineStyle: { color: "#b42318", type: "dashed" }, label: { formatter: data.floor_label || "", position: "insideEndTop", color: "#b42318" }, data: [{ yAxis: data.floor }] };
    }
    return {
      textStyle: font,
      grid: { left: 8, right: 40, top: 16, bottom: 4, containLabel: true },
      tooltip: Object.assign({}, tooltip, { trigger: "axis", formatter: function (p) { const r = rows[p[0].dataIndex]; return r.label + "\n" + r.text; } }),
      xAxis: { type: "category", data: rows.map(function (r) { return r.label; }), boundaryGap: false, axisTick: { show: false }, axisLabel: { color: "#536074", hideOverlap: true } },
      yAxis: Object.assign({ type: "value", scale: true }, axis),
      series: [series]
    };
  }
  const KINDS = { bars: bars, line: line };

  function draw(box) {
    const source = document.getElementById(box.dataset.from);
    if (!source || !window.echarts) return;
    const data = JSON.parse(source.textContent);
    if (box.dataset.chart === "bars") box.classList.add("chart-rows-" + Math.min(8, Math.max(2, data.bars.length)));
    const chart = window.echarts.init(box, null, { renderer: "svg", locale: language.startsWith("zh") ? "ZH" : "EN" });
    chart.setOption(Object.assign({ animation: false, aria: { enabled: false } }, KINDS[box.dataset.chart](data)));
    if (data.bars) chart.on("click", function (p) { const rows = data.bars.slice().reverse(); if (rows[p.dataIndex].url) window.location.assign(rows[p.dataIndex].url); });
    new ResizeObserver(function () { chart.resize(); }).observe(box);
  }
  document.addEventListener("DOMContentLoaded", function () { document.querySelectorAll("[data-chart]").forEach(draw); });
})();
