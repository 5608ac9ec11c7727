document.getElementById('machine').textContent = `${data.machine.processor}, ${data.machine.system}, ${data.machine.runtime}`;
const search = data.search, proof = search && search.proof;
const chosen = search && search.chosen !== null ? search.candidates[search.chosen] : null;
const style = getComputedStyle(document.documentElement);
const color = name => style.getPropertyValue(name).trim();
const short = x => x === null || x === undefined ? '' : x === 0 ? '0' : x.toExponential(1);
const ratio = s => s ? `${s.ratio.toFixed(2)}\u00d7 (95 %: ${s.low.toFixed(2)} to ${s.high.toFixed(2)})` : '';
const isShare = proof && !proof.is_error && proof.metric === 'top-1';
const loss = x => x === null || x === undefined ? '' : isShare || (search && search.budget.metric === 'top-1') ? `${(x * 100).toFixed(2)} %` : Math.abs(x) < 1e-2 ? short(x) : three(x);
const bytes = x => x >= 1 << 20 ? `${three(x / (1 << 20))} MiB` : x >= 1024 ? `${three(x / 1024)} KiB` : `${x} B`;

const verdict = document.getElementById('verdict');
const faster = data.speed.low > 1;
verdict.classList.add(!data.proof.holds ? 'bad' : chosen || faster ? 'good' : 'plain');
verdict.firstChild.textContent = !data.proof.holds ? 'The answers do not hold' : chosen ? `Quantised, proven, ${data.speed.ratio.toFixed(2)}\u00d7 as fast` : search ? `fp32, proven, ${data.speed.ratio.toFixed(2)}\u00d7 as fast` : `Proven, ${data.speed.ratio.toFixed(2)}\u00d7 as fast`;
verdict.lastChild.textContent = search ? search.summary : 'no budget was given: fp32 rewrites only';

facts('facts', [
  ['before', time(data.speed.baseline_seconds)],
  ['after', time(data.speed.optimized_seconds)],
  ['speed (95 % interval)', `${data.speed.ratio.toFixed(2)}\u00d7 (${data.speed.low.toFixed(2)} to ${data.speed.high.toFixed(2)})`],
  ['threads', String(data.threads)],
  ...(chosen ? [['over the best fp32 form', `${chosen.speed.ratio.toFixed(2)}\u00d7`]] : []),
  ...(search ? [['weights before', bytes(search.baseline_bytes)], ['weights after', bytes(search.optimized_bytes)]] : []),
  ...(proof ? [[proof.is_error ? 'largest error, allowed' : 'lost at worst, allowed', `${loss(proof.worse_end)}, ${loss(proof.limit)}`]] : []),
]);

const before = search ? search.baseline_times : [data.speed.baseline_seconds];
const after = search ? search.optimized_times : [data.speed.optimized_seconds];
const distribution = (name, times, shade) => {
  const sorted = [...times].sort((a, b) => a - b);
  return {
    type: 'scatter', mode: sorted.length > 1 ? 'lines' : 'markers', name, line: { shape: 'hv', width: 2, color: shade }, marker: { color: shade, size: 10 },
    x: sorted.map(t => t * 1e3), y: sorted.map((_, i) => (i + 1) / sorted.length * 100), hovertemplate: `${name}: %{y:.0f} % of runs within %{x:.4g} ms<extra></extra>`,
  };
};
chart('latency', [distribution('before', before, color('--dim')), distribution('after', after, color('--accent'))],
  { showlegend: true, legend: { orientation: 'h', y: 1.12 }, xaxis: { title: { text: 'ms a run' }, rangemode: 'tozero' }, yaxis: { title: { text: '% of runs' }, range: [0, 102] } });

if (!search) document.getElementById('searched').remove();
else {
  const timed = search.candidates.map((c, i) => ({ ...c, index: i })).filter(c => c.speed && c.noise !== null);
  const group = (name, list, marker) => ({
    type: 'scatter', mode: 'markers', name, x: list.map(c => c.noise), y: list.map(c => c.speed.ratio),
    error_y: { type: 'data', symmetric: false, array: list.map(c => c.speed.high - c.speed.ratio), arrayminus: list.map(c => c.speed.ratio - c.speed.low), thickness: 1 },
    text: list.map(c => `${c.name}<br>${c.verdict}`), hovertemplate: '%{text}<br>error %{x:.2e}, %{y:.2f}\u00d7<extra></extra>', marker,
  });
  chart('forms', [
    group('others', timed.filter(c => c.index !== search.chosen), { size: 10, opacity: 0.75, color: color('--accent') }),
    group('chosen', timed.filter(c => c.index === search.chosen), { size: 18, symbol: 'star', color: color('--good') }),
  ].filter(t => t.x.length > 0), {
    showlegend: true, legend: { orientation: 'h', y: 1.12 }, xaxis: { type: 'log', title: { text: 'error (log)' }, exponentformat: 'power' }, yaxis: { title: { text: 'times as fast as fp32' }, rangemode: 'tozero' },
    shapes: [{ type: 'line', xref: 'paper', x0: 0, x1: 1, y0: 1, y1: 1, line: { dash: 'dot', width: 1, color: color('--dim') } }],
  });

  table('candidates', search.candidates.map((c, i) => ({ ...c, index: i })), [
    { title: '#', value: c => c.index + 1, number: true },
    { title: 'form', value: c => c.name },
    { title: 'outcome', value: c => c.index === search.chosen ? 'CHOSEN' : c.verdict },
    { title: 'over fp32', value: c => c.speed ? c.speed.ratio : -1, text: v => v < 0 ? '' : `${v.toFixed(2)}\u00d7`, number: true },
    { title: '95 % interval', value: c => c.speed ? `${c.speed.low.toFixed(2)} to ${c.speed.high.toFixed(2)}` : '' },
    { title: 'error', value: c => c.noise ?? Infinity, text: v => v === Infinity ? 'not finite' : short(v), number: true },
    { title: search.budget.max_error !== null ? search.budget.metric : 'score lost', value: c => c.drop ?? -Infinity, text: v => v === -Infinity ? '' : loss(v), number: true },
    { title: 'held back, at worst', value: c => c.proof ? c.proof.worse_end ?? Infinity : -Infinity, text: v => v === -Infinity ? '' : v === Infinity ? 'not finite' : loss(v), number: true },
    { title: 'products', value: c => c.products, number: true },
    { title: 'weights', value: c => c.weight_bytes, text: bytes, number: true },
  ], 3);

  const confidence = proof ? `${three(proof.confidence * 100)} %` : '';
  definitions('proof', proof ? [
    ['Outcome', proof.holds ? proof.is_shown ? 'proven' : `not proven, but allowed: ${proof.units} of the ${proof.units_needed} needed` : 'not proven'],
    ['Samples', `${search.samples.calibration} to calibrate, ${search.samples.search} to search, ${search.samples.held_back} held back (${proof.units} scored)`],
    ...(proof.is_error ? [
      ['Largest error', `${loss(proof.drop)} (${proof.metric}), allowed ${loss(proof.limit)}`],
      ['Holds for', `at least ${(proof.coverage * 100).toFixed(1)} % of inputs like these, at ${confidence} confidence. An error bound says nothing of accuracy.`],
    ] : [
      [`Score (${proof.metric})`, `${loss(proof.baseline_score)} before, ${loss(proof.score)} after; ${proof.lost} lost, ${proof.gained} gained`],
      ['Loss', `${loss(proof.drop)} seen, at worst ${loss(proof.worse_end)} at ${confidence} confidence; allowed ${loss(proof.limit)}`],
    ]),
    ['How', proof.method],
  ] : [['Outcome', 'no form came so far that held-back samples were looked at']]);

  table('nodes', search.nodes.map((n, i) => ({ ...n, index: i })), [
    { title: '#', value: n => n.index + 1, number: true },
    { title: 'node', value: n => n.node },
    { title: 'operation', value: n => n.operation },
    { title: 'precision', value: n => n.precision },
    { title: 'before', value: n => n.seconds_before, text: time, number: true },
    { title: 'after', value: n => n.seconds_after, text: time, number: true },
    { title: 'gained', value: n => n.seconds_before - n.seconds_after, text: v => v < 0 ? `\u2212${time(-v)}` : time(v), number: true },
    { title: 'error', value: n => n.noise ?? -1, text: v => v < 0 ? '' : short(v), number: true },
    { title: 'kernel before', value: n => n.kernel_before ?? '' },
    { title: 'kernel after', value: n => n.kernel_after ?? '' },
  ], 4);
}

table('passes', data.passes, [
  { title: 'pass', value: p => p.pass },
  { title: 'patches', value: p => p.patches, number: true },
  { title: 'speed with it', value: p => p.speed ? p.speed.ratio : 0, text: v => v === 0 ? 'not timed' : `${v.toFixed(2)}\u00d7`, number: true },
  { title: '95 % interval', value: p => p.speed ? `${p.speed.low.toFixed(2)} to ${p.speed.high.toFixed(2)}` : '' },
], 1);

table('outputs', data.proof.outputs, [
  { title: 'output', value: o => o.output },
  { title: 'largest error', value: o => o.max_absolute ?? Infinity, text: short, number: true },
  { title: 'of its largest value', value: o => o.max_scaled ?? Infinity, text: short, number: true },
  { title: 'cosine', value: o => o.cosine ?? -1, text: v => v.toFixed(8), number: true },
  { title: 'outcome', value: o => o.problem ?? 'holds' },
], 0);

definitions('again', [
  ['Command', data.command],
  ['AI Optix', data.version],
  ['Processor', `${data.machine.processor} (${data.machine.instruction_sets})`],
  ...(search ? [
    ['Seed', String(search.budget.seed)],
    ['Budget', search.budget.max_error !== null ? `an error of ${short(search.budget.max_error)} (${search.budget.metric})` : `a drop of ${loss(search.budget.max_accuracy_drop)} (${search.budget.metric})`],
    ['Objective', search.budget.objective],
    ['Search', `${three(search.elapsed_seconds)} s${search.ran_out_of_time ? ', ended by its time' : ''}${search.resumed ? ', resumed' : ''}`],
    ['Model checksum', search.graph_checksum],
  ] : []),
]);
