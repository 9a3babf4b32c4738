// The portal's own behaviour: confirm dialogs, keyboard, selection bars, error focus. No eval, no inline.
(function () {
  "use strict";
  const $ = (selector, root) => (root || document).querySelector(selector);
  const $$ = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  // --- confirm dialogs: data-confirm="question" on a form or on one of its submit buttons ---------
  let pending = null;
  document.addEventListener("submit", function (event) {
    const form = event.target;
    const asker = event.submitter && event.submitter.dataset.confirm ? event.submitter : form;
    const question = asker.dataset.confirm;
    if (!question || form.dataset.confirmed === "yes") { delete form.dataset.confirmed; return; }
    const dialog = $("#confirm-dialog");
    if (!dialog || !dialog.showModal) {
      if (!window.confirm(question)) event.preventDefault();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    pending = { form: form, submitter: event.submitter };
    $("#confirm-text").textContent = question;
    dialog.showModal();
  }, true);

  document.addEventListener("click", function (event) {
    const answer = event.target.closest("[data-answer]");
    if (answer) {
      const dialog = answer.closest("dialog");
      dialog.close();
      if (answer.dataset.answer === "yes" && pending) {
        pending.form.dataset.confirmed = "yes";
        pending.form.requestSubmit(pending.submitter || undefined);
      }
      pending = null;
      return;
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) $(opener.dataset.dialog).showModal();
  });

  // A form is sent once: its buttons rest after the first submit until the page changes.
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-repeat")) return;
    setTimeout(function () {
      $$("button[type=submit], button:not([type])", form).forEach(function (b) {
        b.setAttribute("aria-disabled", "true");
        b.disabled = true;
      });
    }, 0);
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) $$("button[aria-disabled=true]").forEach(function (b) { b.disabled = false; b.removeAttribute("aria-disabled"); });
  });

  // --- keyboard ----------------------------------------------------------------------------------
  const enabled = () => document.body.dataset.shortcuts === "on";
  let prefix = 0;

  function typing(target) {
    return target.closest("input, textarea, select, [contenteditable]") && !["checkbox", "radio"].includes(target.type);
  }
  function rows() { return $$("[data-list] tbody tr").filter(function (r) { return r.offsetParent !== null; }); }
  function walk(step) {
    const all = rows();
    if (!all.length) return;
    let at = all.findIndex(function (r) { return r.classList.contains("is-current"); });
    at = Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step));
    all.forEach(function (r) { r.classList.remove("is-current"); });
    const row = all[at];
    row.classList.add("is-current");
    const link = $("a[href]", row);
    if (link) link.focus(); else row.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", function (event) {
    if (!enabled() || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || $("dialog[open]")) return;
    const key = event.key;
    if (prefix && Date.now() - prefix < 1500) {
      prefix = 0;
      const link = $('[data-go="' + CSS.escape(key) + '"]');
      if (link) { event.preventDefault(); window.location.assign(link.href); }
      return;
    }
    if (key === "g") prefix = Date.now();
    else if (key === "/") { const box = $("[data-search]"); if (box) { event.preventDefault(); box.focus(); box.select(); } }
    else if (key === "?") { event.preventDefault(); $("#shortcuts-dialog").showModal(); }
    else if (key === "j") walk(1);
    else if (key === "k") walk(-1);
    else if (key === "x") { const box = $("[data-list] tr.is-current input[type=checkbox]"); if (box && !box.disabled) box.click(); }
  });

  // --- selection: data-selection around a list; checkboxes carry data-amount and data-currency ------
  // Sums are counted in whole minor steps (BigInt), never in floating point.
  function add(sums, currency, text) {
    const parts = text.replace("-", "").split(".");
    const digits = (parts[1] || "").replace(/0+$/, "");
    const scaled = BigInt(parts[0] + digits.padEnd(5, "0"));
    sums[currency] = (sums[currency] || 0n) + (text.startsWith("-") ? -scaled : scaled);
  }
  const MINOR = { JPY: 0, KRW: 0, VND: 0, CLP: 0, ISK: 0, XAF: 0, XOF: 0, BHD: 3, JOD: 3, KWD: 3, OMR: 3, TND: 3 };
  function written(value, currency) {
    const minus = value < 0n, text = (minus ? -value : value).toString().padStart(6, "0");
    const least = currency in MINOR ? MINOR[currency] : 2;
    let fraction = text.slice(-5).replace(/0+$/, "").padEnd(least, "0");
    const whole = text.slice(0, -5).replace(/\B(?=(\d{3})+$)/g, ",");
    return (minus ? "\u2212" : "") + whole + (fraction ? "." + fraction : "") + " " + currency;
  }
  function count(area) {
    const boxes = $$("tbody input[type=checkbox]:not([data-select-all])", area);
    const chosen = boxes.filter(function (b) { return b.checked; });
    const sums = {};
    chosen.forEach(function (b) { if (b.dataset.amount) add(sums, b.dataset.currency, b.dataset.amount); });
    const bar = $("[data-selection-bar]", area);
    if (bar) {
      bar.hidden = chosen.length === 0;
      const number = $("[data-selected-count]", bar), sum = $("[data-selected-sum]", bar);
      if (number) number.textContent = String(chosen.length);
      if (sum) sum.textContent = Object.keys(sums).sort().map(function (c) { return written(sums[c], c); }).join(" · ");
    }
    const all = $("[data-select-all]", area);
    if (all) {
      const free = boxes.filter(function (b) { return !b.disabled; });
      all.checked = free.length > 0 && chosen.length >= free.length;
      all.indeterminate = chosen.length > 0 && !all.checked;
    }
  }
  document.addEventListener("change", function (event) {
    const area = event.target.closest("[data-selection]");
    if (!area) return;
    if (event.target.matches("[data-select-all]")) {
      $$("tbody input[type=checkbox]", area).forEach(function (b) { if (!b.disabled) b.checked = event.target.checked; });
    }
    count(area);
  });

  function ready(root) {
    $$("[data-selection]", root).forEach(count);
    const summary = $("[data-error-summary]", root);
    if (summary) summary.focus();
  }
  document.addEventListener("DOMContentLoaded", function () { ready(document); });
  document.addEventListener("htmx:afterSwap", function (event) { ready(event.target); });
  document.addEventListener("click", function (event) {
    const link = event.target.closest("[data-error-summary] a[href^='#']");
    const field = link && document.getElementById(link.getAttribute("href").slice(1));
    if (field) { event.preventDefault(); field.focus(); field.scrollIntoView({ block: "center" }); }
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (button && navigator.clipboard) navigator.clipboard.writeText(button.dataset.copy);
  });
})();
// A passkey that was cancelled or is not known: say so in the page, not only in the console.
document.addEventListener("allauth.error", function (event) {
  "use strict";
  event.preventDefault();
  const text = document.body.dataset.passkeyFailed, main = document.getElementById("main");
  if (!text || !main) return;
  const notice = document.createElement("div");
  notice.className = "notice notice-error";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  main.prepend(notice);
});
