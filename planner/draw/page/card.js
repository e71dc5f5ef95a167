// The card: one answer, then what backs it.
const STABLE = 0.8, BAR_PX = 286;

function makeCard(page) {
  const { root, study, state, store, say, number, percent, arrow } = page, F = study.facilities;
  const card = makeBox(root, "section", "card", { "aria-label": "plan" });
  const handle = el("button", { class: "pm-handle", type: "button" }), head = el("header");
  const body = el("div", { class: "pm-body" }), foot = el("footer");
  card.append(handle, head, body, foot);

  function drawHead() {
    const title = study.name ? say("title", { study: study.name }) : say("titleAlone");
    head.replaceChildren(el("span", { class: "pm-title" }, title), el("span", { class: "pm-languages" }, ...["zh", "en"].map(language =>
      el("button", { type: "button", "aria-pressed": String(state.language === language), "data-focus": language, lang: language === "zh" ? "zh-CN" : "en",
        "aria-label": language === "zh" ? "中文" : "English", on: { click: () => page.setLanguage(language) } }, language === "zh" ? "中" : "EN"))));
    if (page.alone) document.title = title;
  }
  function drawBody() {
    const keep = body.scrollTop, focus = document.activeElement?.dataset?.focus;
    const now = shares(page);
    body.replaceChildren(...[headline(page, now), basisLine(page), shareBar(page, now),
      state.trying && page.known ? trialTable(page) : mainFigures(page, now), ruleLine(page), heldLine(page), circleLine(page), partSwitch(page), siteList(page), withheldLine(page)].filter(Boolean));
    drawFoot(now);
    body.scrollTop = keep;
    if (focus) card.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
    handle.setAttribute("aria-label", say("sheet"));
  }
  function drawFoot({ changed }) {
    foot.hidden = !page.known;
    const restore = el("button", { type: "button", class: "pm-plain", "data-focus": "restore", on: { click: () => store.change({ open: new Set(page.planned) }) } }, say("restore"));
    foot.replaceChildren(
      el("button", { type: "button", class: "pm-plain", "data-focus": "try", "aria-pressed": String(state.trying), on: { click: () => page.setTrying(!state.trying) } }, say(state.trying ? "tryEnd" : "try")),
      changed ? restore : el("span", { class: "pm-grey" }, state.trying ? say("tryHint") : ""));
  }
  store.watch(["language"], drawHead);
  store.watch(["language", "part", "open", "trying"], drawBody);
  return { card, handle, body };
}

// Today's and the plan's share as plan.json has them; a trial's as this page sums it.
function shares(page) {
  const { state, study } = page, d = state.part;
  const changed = state.trying && !sameSet(state.open, page.planned);
  const today = study.before[d] ?? (page.known ? page.own.today[d] : null);
  const plan = study.after[d] ?? (page.known ? page.own.plan[d] : null);
  const best = d ? (page.known && !changed ? page.own.nominal[d] : null) : study.best;
  const after = changed ? page.now.share[d] : plan;
  const total = d ? page.whatIf.total[d] * page.cells.unit[d] : study.weight;
  return { changed, today, plan, best, after, gained: today === null || after === null ? null : (after - today) * total };
}

const sameSet = (set, list) => set.size === list.length && list.every(f => set.has(f));

// one decimal where whole points would hide the difference
function digitsFor(a, b) {
  const apart = a === null || b === null ? 0 : Math.abs(b - a);
  return apart >= 0.0005 && apart < 0.02 ? 1 : 0;
}

function fromTo(page, { today, after }) {
  const digits = digitsFor(today, after);
  if (after === null) return "–";
  return today === null ? page.percent(after, digits) : page.arrow(page.percent(today, digits), page.percent(after, digits));
}

function headline(page, now) {
  const { say, state, study } = page, count = study.sites.length, kind = now.changed ? "Trial" : count > 1 ? "" : count ? "One" : "None";
  const values = { n: count, shares: fromTo(page, now), part: state.part ? page.partIn(state.part) : "" };
  const text = say(`headline${kind}${state.part ? "Part" : ""}`, values);
  return el("h1", {}, ...text.split(/(?<=，|: )/).map(phrase => el("span", {}, phrase)));  // lines break between phrases
}

function basisLine(page) {
  return el("div", { class: "pm-grey pm-basis" }, ...page.basis(page.state.part).flatMap((part, i) => [i ? " · " : "", el("span", {}, part)]));
}

function shareBar(page, { changed, today, after, best }) {
  if (after === null) return null;
  const { say, percent, state } = page, at = share => `${(share * 100).toFixed(2)}%`;
  const bestWord = say(state.part ? "barNominal" : "barBest");
  const spoken = [today === null ? null : `${say("today")} ${percent(today)}`, `${say("plan")} ${percent(after)}`, best === null ? null : `${bestWord} ${percent(best)}`];
  return el("div", { class: "pm-bar", role: "img", "aria-label": spoken.filter(Boolean).join(", ") },
    el("i", { class: "pm-won", style: { width: at(after) } }),
    today ? el("i", { class: "pm-now", style: { width: at(Math.min(after, today)) } }) : null,
    best === null ? null : el("i", { class: "pm-most", style: { left: at(best) } }),
    ...barLabels([[0, say("today"), "today"], [today ?? 0, say(changed ? "trial" : "plan"), "plan"], best === null ? null : [best, bestWord, "best"]].filter(Boolean)));
}

// Words under the bar, the plan's first; one that would run into another is left out.
function barLabels(labels) {
  const taken = [], order = ["plan", "today", "best"];
  return labels.sort((a, b) => order.indexOf(a[2]) - order.indexOf(b[2])).map(([share, text, name]) => {
    const width = (textWidth(text, 13) + 8) / BAR_PX, from = Math.max(0, Math.min(share - (name === "best" ? width / 2 : 0), 1 - width));
    if (taken.some(([a, b]) => from < b && from + width > a)) return null;
    taken.push([from, from + width]);
    return el("span", { class: `pm-bar-${name}`, style: { left: `${(from * 100).toFixed(1)}%` } }, text);
  });
}

function mainFigures(page, now) {
  const { say, number, percent, study, state } = page;
  const stable = study.sites.filter(s => s.stability !== null), firm = stable.filter(s => s.stability >= STABLE).length;
  const proven = study.gap === 0, gap = study.gap === null ? "" : percent(study.gap, study.gap < 0.0995 ? 1 : 0);
  const bestWord = state.part ? say("nominal")
    : study.bestOf === "all" ? say("bestAll")
    : study.bestOf === "required" && !study.rule ? say(proven || !gap ? "bestKept" : "bestKeptGap", { gap })
    : study.rule ? say(proven || !gap ? "bestRule" : "bestRuleGap", { gap })
    : proven ? say("bestProven") : gap ? say("bestWithGap", { gap }) : say("best");
  return figureList([fromTo(page, now), say("covered"), true],
    [now.best === null ? "–" : percent(now.best, digitsFor(now.after, now.best)), bestWord],
    [now.gained === null ? "–" : page.signed(now.gained), say("gainedPerDay")],
    [stable.length ? say("of", { a: firm, b: study.sites.length }) : "–", say(stable.length || !study.sites.length ? "stable" : "stableUnknown")]);
}

// the rule that opens gathering places first, and what coverage alone would reach
function ruleLine(page) {
  const { study, state, say, percent } = page;
  if (!study.rule || state.part || state.trying) return null;
  const share = study.rule.free === null ? "–" : percent(study.rule.free, percent(study.after[0]) === percent(study.rule.free) ? 1 : 0);
  return el("p", { class: "pm-grey pm-rule" }, study.rule.first === 1 ? say("ruleOne", { share }) : say("ruleMany", { n: study.rule.first, share }));
}

// what days or hours that were left out keep, and what the next share would take
function heldLine(page) {
  const { study, state, say, percent } = page, { held, ahead } = study, found = [];
  if (state.part || state.trying) return null;
  if (held) {
    const digits = held.high - held.low < 0.02 ? 1 : 0, ends = [percent(held.low, digits), percent(held.high, digits)];
    found.push(say(held.by === "days" ? "heldDays" : held.by === "dayparts" ? "heldHours" : "heldVisits", { range: ends[0] === ends[1] ? ends[0] : `${ends[0].replace(/\s*%$/, "")}–${ends[1]}` }));
  }
  if (ahead) found.push(say(ahead.stations === null ? "aheadNone" : "ahead", { n: ahead.stations ?? ahead.most, share: percent(ahead.share) }));
  return found.length ? el("p", { class: "pm-grey pm-held" }, found.join(state.language === "zh" ? "；" : "; ")) : null;
}

function circleLine(page) {
  const [before, after] = page.study.circle;
  if (before === null || after === null || page.state.part || page.state.trying) return null;
  return el("p", { class: "pm-grey pm-circle" }, page.say("circles", { shares: page.arrow(page.percent(before), page.percent(after)) }));
}

function withheldLine(page) {
  const share = page.study.withheld;
  return share > 0.0005 ? el("p", { class: "pm-grey pm-withheld" }, page.say("withheld", { share: page.percent(share, share < 0.02 ? 1 : 0) })) : null;
}

function partSwitch(page) {
  const { say, state, study, chinese } = page, count = study.dayparts.length + 1;
  if (count < 2) return null;
  const columns = count <= (chinese() ? 6 : 3) ? count : Math.ceil(count / Math.ceil(count / (chinese() ? 6 : 3)));
  const choice = d => el("label", { title: d ? `${page.partName(d)} ${page.partHours(d)}` : say("allDay") },
    el("input", { type: "radio", name: `${page.id}_part`, checked: d === state.part, "data-focus": `part${d}`, on: { change: () => page.setPart(d) } }), el("span", {}, page.partName(d)));
  return el("fieldset", {}, el("legend", {}, say("daypart")),
    el("div", { class: "pm-switch", style: { "--columns": columns } }, ...Array.from({ length: count }, (_, d) => choice(d))));
}

function siteList(page) {
  const { say, number, state, study } = page, F = study.facilities;
  if (!study.sites.length) return null;
  return el("div", { class: "pm-rank" }, el("h2", {}, say("siteList")), el("ol", {}, ...study.sites.map((site, i) => {
    const f = F.existing + i, doubtful = site.stability !== null && site.stability < STABLE;
    return el("li", state.open.has(f) ? {} : { class: "pm-dropped" }, el("button", { type: "button", "data-focus": `site${i}`, on: { click: () => page.flyTo(f) } },
      el("span", { class: "pm-dot" }, String(site.rank)), el("span", { class: "pm-name", title: site.name }, site.name),
      el("span", { class: "pm-num" }, doubtful ? el("small", { class: "pm-grey" }, say("doubtful")) : null, site.gain === null ? "" : `+${number(site.gain)}`)));
  })));
}

function trialTable(page) {
  const { say, percent, points, study, own, now, state } = page;
  return el("table", { class: "pm-trial pm-num" },
    el("tr", {}, ...["", say("today"), say("plan"), say("trial"), say("versusPlan")].map(text => el("th", {}, text))),
    ...own.plan.map((plan, d) => el("tr", d === state.part ? { class: "pm-here" } : {},
      ...[page.partName(d), percent(study.before[d] ?? own.today[d]), percent(study.after[d] ?? plan), percent(now.share[d]), points(now.share[d] - plan)].map(text => el("td", {}, text)))));
}
