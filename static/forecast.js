// Draws the forecast line with its floor. Data come from a json_script element; no inline styles.
(function () {
  "use strict";
  function draw(box) {
    const source = document.getElementById(box.dataset.forecast);
    if (!source || !window.echarts) return;
    const data = JSON.parse(source.textContent);
    const label = data.labels;
    const points = data.closing.map(function (value, index) {
      return data.below[index]
        ? { value: Number(value), symbol: "triangle", symbolSize: 12, itemStyle: { color: "#b42318" } }
        : { value: Number(value), symbol: "circle", symbolSize: 7 };
    });
    const chart = window.echarts.init(box, null, { renderer: "svg" });
    const number = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: 2 });
    const short = new Intl.NumberFormat(document.documentElement.lang || "en", { notation: "compact" });
    const size = function (value) { return short.format(value); };
    chart.setOption({
      animation: false,
      aria: { enabled: false },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: {
        trigger: "axis", renderMode: "richText",
        valueFormatter: function (value) { return number.format(value) + " " + data.currency; }
      },
      legend: { bottom: 0, data: [label.closing, label.lowest, label.floor] },
      grid: { left: 12, right: 24, top: 16, bottom: 36, containLabel: true },
      xAxis: { type: "category", data: data.weeks, boundaryGap: false, axisLabel: { color: "#3c485a" } },
      yAxis: { type: "value", scale: true, axisLabel: { color: "#3c485a", formatter: size } },
      series: [
        { name: label.closing, type: "line", data: points, lineStyle: { width: 2.5, color: "#1d5bb8" }, itemStyle: { color: "#1d5bb8" } },
        { name: label.lowest, type: "line", data: data.lowest.map(Number), symbol: "none", lineStyle: { width: 1.5, type: "dotted", color: "#536074" }, itemStyle: { color: "#536074" } },
        { name: label.floor, type: "line", data: data.weeks.map(function () { return Number(data.floor); }), symbol: "none", lineStyle: { width: 1.5, type: "dashed", color: "#b42318" }, itemStyle: { color: "#b42318" } }
      ]
    });
    window.addEventListener("resize", function () { chart.resize(); });
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-forecast]").forEach(draw);
  });
})();
