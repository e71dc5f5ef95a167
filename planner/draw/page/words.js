// Words and numbers in the language of the page.
function makeSpeech(words, study, state) {
  const chinese = () => state.language === "zh";
  const say = (key, values = {}) => words[state.language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const known = (prefix, name) => words[state.language][prefix + name] ?? name;

  // at most three significant digits
  const round = v => v >= 1000 ? Number(v.toPrecision(3)) : Number(v.toFixed(v < 10 ? 1 : 0));
  const number = v => new Intl.NumberFormat(chinese() ? "zh-CN" : "en-GB").format(round(v));
  const percent = (v, digits = 0) => `${(v * 100).toFixed(digits)}${chinese() ? "%" : "\u202f%"}`;
  const signed = v => `${v >= 0 ? "+" : "−"}${number(Math.abs(v))}`;
  const points = v => `${v > 0.0005 ? "+" : v < -0.0005 ? "−" : "±"}${Math.abs(v * 100).toFixed(1)}`;
  const arrow = (a, b) => `${a}\u00a0→\u00a0${b}`;

  const clock = hour => Number.isInteger(hour) ? String(hour) : `${Math.floor(hour)}:${String(Math.round(hour % 1 * 60)).padStart(2, "0")}`;
  const partName = d => d ? known("part_", study.dayparts[d - 1].name) : say("allDay");
  const partIn = d => chinese() ? partName(d) : partName(d).toLowerCase();  // within a sentence
  const partHours = d => study.dayparts[d - 1].hours.map(clock).join("–");
  const kind = name => known("kind_", name || "station");

  function dates() {
    const [first, last] = study.dates;
    if (!last) return first;
    const sameYear = first.slice(0, 4) === last.slice(0, 4);
    return say("fromTo", { first, last: sameYear ? last.slice(5) : last });
  }
  const adopted = study.edits.filter(edit => edit.adopted).length;
  // mode · limit · hours · basis · dates: what every covered share is printed with
  const basis = d => [say(`mode_${study.mode}`), say("minutes", { n: study.limit }),
    d ? say("openHours", { part: partIn(d), hours: partHours(d) }) : say("anyHour"), say("alongStreets"),
    adopted ? say("adopted", { n: adopted }) : null, study.expanded ? say("expanded") : null, study.needed ? say("needed") : null,
    study.dates.length ? say("dataFrom", { dates: dates() }) : null].filter(Boolean);

  return { say, number, percent, signed, points, arrow, partName, partIn, partHours, kind, basis, chinese };
}
