// The two-sided screen: running sums, the difference bar, keys. Sums are whole steps of 10^-5 (BigInt).
(function () {
  "use strict";
  const form = document.querySelector("[data-reconcile]");
  if (!form) return;
  const bar = form.querySelector("[data-difference-bar]");
  const boxes = function (side) { return Array.from(form.querySelectorAll('[data-side="' + side + '"] input[type=checkbox]')); };
  const NONE = ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"];
  const THREE = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
  const currency = form.dataset.currency;
  const least = NONE.includes(currency) ? 0 : THREE.includes(currency) ? 3 : 2;

  function written(steps) {
    const minus = steps < 0n, text = (minus ? -steps : steps).toString().padStart(6, "0");
    const fraction = text.slice(-5).replace(/0+$/, "").padEnd(least, "0");
    const whole = text.slice(0, -5).replace(/\B(?=(\d{3})+$)/g, ",");
    return (minus ? "\u2212" : "") + whole + (fraction ? "." + fraction : "");
  }
  function chosen(side) { return boxes(side).filter(function (b) { return b.checked; }); }
  function sum(list) { return list.reduce(function (total, b) { return total + BigInt(b.dataset.steps); }, 0n); }

  function count() {
    if (!bar) return;
    const bank = chosen("bank"), book = chosen("book");
    const left = sum(bank), right = sum(book), many = bank.length + book.length;
    bar.querySelector('[data-sum="bank"]').textContent = written(left);
    bar.querySelector('[data-sum="book"]').textContent = written(right);
    bar.querySelector('[data-sum="difference"]').textContent = written(left - right);
    const ready = many > 1 && left === right;
    bar.querySelector("[data-why]").textContent = many < 2 ? bar.dataset.none : ready ? bar.dataset.equal : bar.dataset.unequal;
    bar.querySelector("[data-match]").disabled = !ready;
    form.querySelectorAll("[data-side] tbody tr").forEach(function (row) {
      const box = row.querySelector("input[type=checkbox]");
      row.classList.toggle("is-current", Boolean(box && box.checked));
    });
  }

  function suggest(box) {
    const link = box && box.closest("tr").querySelector("[data-suggest]");
    if (link) link.click();
  }
  form.addEventListener("change", function (event) {
    count();
    if (event.target.checked && chosen("bank").length + chosen("book").length === 1) suggest(event.target);
  });
  window.addEventListener("pageshow", count);
  count();

  // --- keys ----------------------------------------------------------------------------------------
  function move(box, key) {
    const side = box ? box.name : "bank", here = boxes(side);
    const at = box ? here.indexOf(box) : -1;
    let next = null;
    if (key === "ArrowDown") next = here[Math.min(here.length - 1, at + 1)];
    else if (key === "ArrowUp") next = here[Math.max(0, at - 1)];
    else {
      const other = boxes(key === "ArrowLeft" ? "bank" : "book");
      if (box && box.name === (key === "ArrowLeft" ? "bank" : "book")) return;
      next = other[Math.min(other.length - 1, Math.max(0, at))];
    }
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  }
  document.addEventListener("keydown", function (event) {
    if (document.body.dataset.shortcuts !== "on" || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target;
    const line = target.closest && target.closest("[data-side]") && target.type === "checkbox" ? target : null;
    if (!line && target.closest("input, textarea, select, [contenteditable]")) return;
    const arrow = event.key.startsWith("Arrow");
    if (arrow && (line || target === document.body || target.id === "main")) { event.preventDefault(); move(line, event.key); }
    else if (event.key === "s" && line) suggest(line);
    else if (event.key === "m") { const b = form.querySelector("[data-match]"); if (b && !b.disabled) b.click(); }
    else if (event.key === "u") { const b = document.querySelector("[data-undo-last]"); if (b) b.click(); }
    else if (/^[1-3]$/.test(event.key)) { const b = document.querySelector('[data-take="' + event.key + '"]'); if (b) b.click(); }
  });
})();
