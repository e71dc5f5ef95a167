// Popups: a name, one sentence, up to three figures; built as nodes when they open.
function makePopups(page) {
  const { map, study, state, say, number, percent, arrow } = page, F = study.facilities;
  const minutes = v => (v >= 2 * study.limit ? `${number(2 * study.limit)}+` : number(Math.round(v)));
  const people = (weight, part = state.part) => weight * page.cells.unit[part];

  function body(title, sentence, notes, ...figures) {
    return el("div", { class: "pm-pop" }, el("h3", {}, title), sentence ? el("p", {}, sentence) : null,
      figures.some(Boolean) ? figureList(...figures) : null,
      ...[notes].flat().filter(Boolean).map(note => el("p", { class: "pm-grey pm-note" }, note)));
  }
  const hostClass = f => (F.hostClass[f] ? page.kind(F.hostClass[f]) : null);
  function why(site) {
    if (state.language === study.language && site.why) return site.why;
    if (site.after === null || site.gain === null) return "";
    const values = { gain: number(site.gain), after: minutes(site.after), part: page.partIn(site.peak), before: site.before === null ? "" : minutes(site.before) };
    return say(site.before === null ? "whyNew" : "why", values);
  }
  // What is lost without the site, and what could take its place.
  function behind(site) {
    if (site.loss === undefined || site.loss === null) return null;
    if (site.loss < 0.0005) return say("siteSpare");
    const lost = say("siteLoss", { points: (site.loss * 100).toFixed(1) });
    if (!study.judged) return lost;
    const brings = site.other && site.otherShare > study.after[0] - site.loss + 0.0005;
    const other = { name: site.other, share: brings ? percent(site.otherShare, 1) : "" };
    return [lost, say(!brings ? "siteAlone" : site.tied ? "siteTied" : "siteOther", other)].join(page.chinese() ? "" : " ");
  }
  function ofSite(f) {
    const site = study.sites[f - F.existing];
    const walk = site.after === null ? null : site.before === null ? minutes(site.after) : arrow(minutes(site.before), minutes(site.after));
    const note = [site.status ? say(`status_${site.status}`) : null, say(`action_${site.action}`), hostClass(f), F.host[f] && F.host[f] !== site.name ? F.host[f] : null, F.hours[f]].filter(Boolean).join(" · ");
    return body(`${site.rank}  ${site.name}`, why(site), [note, behind(site)],
      site.gain === null ? null : [`+${number(site.gain)}`, say("figureGain")], walk && [walk, say("figureMinutes")],
      site.stability === null ? null : [percent(site.stability), say("figureStable")]);
  }
  function ofStation(f) {
    const hours = F.hours[f] ? `${F.hours[f]}${F.assumed[f] ? say("assumed") : ""}` : say("hoursUnknown");
    const now = state.part ? (page.markers.isOpen(f) ? say("openNow", { part: page.partIn(state.part) }) : say("closedNow", { part: page.partIn(state.part) })) : null;
    const served = page.known ? page.whatIf.served(f, state.open, state.part) : null;
    return body(F.name[f] || page.kind(F.kind[f]), [page.kind(F.kind[f]), hours, now].filter(Boolean).join(" · "),
      F.services[f] ? say("services", { list: F.services[f].split(/[;；]/).filter(Boolean).join(state.language === "zh" ? "、" : ", ") }) : null,
      served && [number(people(served.all)), say("figureServed")], served && [number(people(served.alone)), say("figureAlone")],
      F.capacity[f] === null ? null : [number(F.capacity[f]), say("figureSeats")]);
  }
  function ofCandidate(f) {
    const served = page.whatIf.served(f, state.open, state.part);
    return body(F.name[f] || page.kind(F.kind[f]), [say("candidate"), hostClass(f) || page.kind(F.kind[f])].join(" · "), F.hours[f] || null,
      [`+${number(people(served.alone))}`, say("figureWouldGain")], [number(people(served.all)), say("figureServed")]);
  }
  function ofParking(place) {
    const near = place.station ? say(place.walk === null ? "parkingNear" : "parkingWalk", { name: place.station, m: number(Math.round((place.walk ?? 0) / 10) * 10) }) : null;
    return body(place.name || say("layer_parking"), place.served === null || place.blocking === null ? "" : say("whyParking", { n: number(place.served), bays: place.bays, free: percent(1 - place.blocking) }), near,
      [String(place.bays), say("figureBays")], place.served === null ? null : [number(place.served), say("figureStops")],
      place.blocking === null ? null : [percent(place.blocking, place.blocking < 0.1 ? 1 : 0), say("figureFull")]);
  }
  const tens = m => number(Math.round(m / 10) * 10);
  const placed = (place, key, values = {}) => say(key, { n: number(place.rest ?? place.visits), ...values });
  const gatheringLine = place => (place.station === null ? placed(place, "gatheringFar") : placed(place, "gatheringNear", { m: tens(place.station) }));
  const hotspotLine = place => (place.peak ? placed(place, "hotspotPeak", { part: page.partIn(place.peak) }) : placed(place, "hotspotPlain"));
  const uncoveredLine = place => (place.nearest === null ? placed(place, "uncoveredFar", { m: number(study.horizon) }) : placed(place, "uncoveredNear", { m: number(place.nearest) }));
  const peak = place => (place.peak ? [page.partName(place.peak), say("figurePeak")] : null);
  function ofGathering(place) {
    return body(place.name, placed(place, "whyGathering"), null, [number(place.rest), say("figureRests")],
      place.station === null ? null : [tens(place.station), say("figureStationM")], peak(place));
  }
  function ofHotspot(place) {
    return body(place.name, place.peak ? say("whyHotspot", { part: page.partIn(place.peak) }) : say("whyHotspotPlain"), null,
      [number(place.visits), say("figureVisits")], peak(place));
  }
  function ofUncovered(place) {
    return body(place.name, say("whyUncovered", { limit: number(study.limit) }), null, [number(place.visits), say("figureVisits")],
      [place.nearest === null ? `>${number(study.horizon)}` : number(place.nearest), say("figureNearest")], peak(place));
  }
  function ofEdit(edit) {
    const { sentence, note, figures } = tellEdit(page, edit);
    return body(edit.name, sentence, note, ...figures);
  }
  function show(latlng, content, above) {
    const { topLeft, bottomRight } = page.padding();
    L.popup({ maxWidth: 300, minWidth: 232, offset: [0, -above], autoPanPaddingTopLeft: topLeft, autoPanPaddingBottomRight: bottomRight })
      .setLatLng(latlng).setContent(content).openOn(map);
  }
  return {
    open(f) {
      const chosen = f >= F.existing && f < F.existing + F.chosen;
      show(page.where(f), chosen ? ofSite(f) : f < F.existing ? ofStation(f) : ofCandidate(f), chosen ? 8 : 2);
    },
    gatheringLine, hotspotLine, uncoveredLine,
    openUncovered(place) { show(toLatLng(place.x, place.y), ofUncovered(place), 4); },
    openEdit(edit) { show(toLatLng(edit.x, edit.y), ofEdit(edit), 4); },
    openGathering(place) { show(toLatLng(place.x, place.y), ofGathering(place), 4); },
    openHotspot(place) { show(toLatLng(place.x, place.y), ofHotspot(place), 4); },
    openParking(i) { show(toLatLng(study.parking[i].x, study.parking[i].y), ofParking(study.parking[i]), 4); },
  };
}
