// Covered share for any set of open facilities. Weights are whole numbers, so the sums are exact.
const FAR = 255;  // of `nearest`: none within the limit

function makeWhatIf(reach, weight, openMasks) {
  const cells = weight[0].length, parts = weight.length;
  const total = weight.map(list => list.reduce((a, b) => a + b, 0));

  // `reached[i]` has bit d set when cell i is in reach of a facility open in daypart d;
  // `nearest[i]` is the time to the nearest facility open in daypart `part`.
  function measure(open, part = 0) {
    const reached = new Uint32Array(cells), nearest = new Uint8Array(cells).fill(FAR);
    for (const f of open) {
      const mask = openMasks[f], counts = mask >> part & 1;
      for (let k = reach.start[f]; k < reach.start[f + 1]; k++) {
        const i = reach.cell[k];
        reached[i] |= mask;
        if (counts && reach.time[k] < nearest[i]) nearest[i] = reach.time[k];
      }
    }
    const share = weight.map((list, d) => {
      let sum = 0;
      for (let i = 0; i < cells; i++) if (reached[i] >> d & 1) sum += list[i];
      return total[d] ? sum / total[d] : 0;
    });
    return { reached, nearest, share };
  }

  // Weight in reach of one facility, and what of it no other open one reaches.
  function served(f, open, part) {
    const others = measure([...open].filter(o => o !== f), part).reached, list = weight[part];
    let all = 0, alone = 0;
    for (let k = reach.start[f]; k < reach.start[f + 1]; k++) {
      const i = reach.cell[k];
      all += list[i];
      if (!(others[i] >> part & 1)) alone += list[i];
    }
    return { all, alone };
  }
  return { measure, served, total };
}
