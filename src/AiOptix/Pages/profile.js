document.getElementById('machine').textContent = `${data.machine.processor}, ${data.machine.system}, ${data.machine.runtime}`;
const steps = data.steps;
const total = steps.reduce((sum, s) => sum + s.seconds, 0);
const flops = steps.reduce((sum, s) => sum + s.flops, 0);
facts('facts', [
  ['a run', time(data.seconds)],
  ['threads', String(data.threads)],
  ['steps', String(steps.length)],
  ['operations a run', `${count(flops)}flop`],
  ['Gflop/s over all steps', three(flops / total / 1e9)],
  ['of the peak', percent(flops / total / 1e9 / data.peak_gflops)],
  ['runs measured', String(data.runs)],
]);

const points = steps.filter(s => s.flops > 0 && s.bytes > 0 && s.seconds > 0);
const intensities = points.map(s => s.flops / s.bytes);
const ridge = data.peak_gflops / data.peak_gigabytes_per_second;
const left = Math.min(ridge / 10, ...intensities) / 2, right = Math.max(ridge * 10, ...intensities) * 2;
chart('roofline', [
  {
    type: 'scatter', mode: 'lines', name: 'this machine', hoverinfo: 'skip', line: { width: 2 },
    x: [left, ridge, right], y: [left * data.peak_gigabytes_per_second, data.peak_gflops, data.peak_gflops],
  },
  {
    type: 'scatter', mode: 'markers', name: 'steps', x: intensities, y: points.map(s => s.gflops_per_second),
    text: points.map(s => `${s.name}<br>${s.operation}<br>${s.kernel ?? 'no kernel'}<br>${time(s.seconds)}, ${percent(s.share)}`),
    hovertemplate: '%{text}<br>%{x:.3g} flop/byte, %{y:.3g} Gflop/s<extra></extra>',
    marker: { size: points.map(s => 6 + 26 * Math.sqrt(s.share)), opacity: 0.7 },
  },
], { showlegend: false, xaxis: { type: 'log', title: { text: 'flop/byte' } }, yaxis: { type: 'log', title: { text: 'Gflop/s' } } });

const byOperation = new Map();
for (const s of steps) byOperation.set(s.operation, (byOperation.get(s.operation) ?? 0) + s.seconds);
const most = [...byOperation].sort((a, b) => b[1] - a[1]).slice(0, 15).reverse();
chart('operations', [{
  type: 'bar', orientation: 'h', x: most.map(m => m[1] / total * 100), y: most.map(m => m[0].length > 28 ? `${m[0].slice(0, 27)}\u2026` : m[0]),
  text: most.map(m => time(m[1])), hovertemplate: '%{y}: %{text}, %{x:.3g} %<extra></extra>',
}], { xaxis: { title: { text: '% of the time' } } });

table('steps', steps.map((s, i) => ({ ...s, index: i })), [
  { title: '#', value: s => s.index, number: true },
  { title: 'node', value: s => '\u00a0\u00a0'.repeat(s.depth) + s.name },
  { title: 'operation', value: s => s.operation },
  { title: 'kernel', value: s => s.kernel ?? '' },
  { title: 'calls', value: s => s.calls, text: three, number: true },
  { title: 'time', value: s => s.seconds, text: time, number: true },
  { title: 'share', value: s => s.share, text: percent, number: true },
  { title: 'flop', value: s => s.flops, text: count, number: true },
  { title: 'bytes', value: s => s.bytes, text: count, number: true },
  { title: 'Gflop/s', value: s => s.gflops_per_second, text: three, number: true },
  { title: 'GB/s', value: s => s.gigabytes_per_second, text: three, number: true },
  { title: 'of roofline', value: s => s.of_roofline, text: percent, number: true },
  { title: 'nodes in the file', value: s => s.origins.join(', ') },
], 5);
