'use strict';
const data = JSON.parse(document.getElementById('data').textContent);

function three(x) {
  if (x === 0) return '0';
  const size = Math.abs(x);
  return size >= 99.95 ? x.toFixed(0) : size >= 9.995 ? x.toFixed(1) : size >= 0.0995 ? x.toFixed(2) : x.toExponential(1);
}
function time(s) { return s >= 1 ? `${three(s)} s` : s >= 1e-3 ? `${three(s * 1e3)} ms` : `${three(s * 1e6)} \u00b5s`; }
function count(x) {
  const units = ['', 'k', 'M', 'G', 'T', 'P'];
  let i = 0;
  for (; Math.abs(x) >= 1000 && i < units.length - 1; i++) x /= 1000;
  return `${three(x)} ${units[i]}`.trim();
}
function percent(x) { return `${three(x * 100)} %`; }

function element(parent, name, text, style) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (style) e.className = style;
  parent.append(e);
  return e;
}

function facts(id, rows) {
  const parent = document.getElementById(id);
  for (const [label, value] of rows) {
    const box = element(parent, 'div');
    element(box, 'b', value);
    element(box, 'span', label);
  }
}

// Terms and what they are: rows of [term, text].
function definitions(id, rows) {
  const parent = document.getElementById(id);
  for (const [term, text] of rows) {
    element(parent, 'dt', term);
    element(parent, 'dd', text);
  }
}

// A table whose columns sort on a click: { title, value(row), text(value)?, number? }.
function table(id, rows, columns, sorted) {
  const root = document.getElementById(id);
  const head = element(element(root, 'thead'), 'tr');
  const body = element(root, 'tbody');
  let by = sorted, down = true;
  const cells = columns.map((column, i) => {
    const th = element(head, 'th', undefined, column.number ? 'number' : '');
    const button = element(th, 'button', column.title);
    button.type = 'button';
    button.addEventListener('click', () => {
      down = by === i ? !down : Boolean(column.number);
      by = i;
      fill();
    });
    return th;
  });
  function fill() {
    const value = columns[by].value;
    const order = rows.map((row, i) => [value(row), i]).sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1) || i - j);
    body.replaceChildren();
    for (const [, i] of order) {
      const tr = element(body, 'tr');
      for (const column of columns) {
        const v = column.value(rows[i]);
        const td = element(tr, 'td', column.text ? column.text(v) : v, column.number ? 'number' : '');
        td.title = td.textContent;
      }
    }
    cells.forEach((th, i) => th.setAttribute('aria-sort', i === by ? (down ? 'descending' : 'ascending') : 'none'));
  }
  fill();
}

const charts = [];
// A chart that follows the width of the page and its light or dark colours.
function chart(id, traces, layout) {
  charts.push([id, traces, layout]);
  draw(id, traces, layout);
}
function draw(id, traces, layout) {
  const style = getComputedStyle(document.documentElement);
  const color = name => style.getPropertyValue(name).trim();
  const axis = { gridcolor: color('--line'), zerolinecolor: color('--line'), automargin: true };
  Plotly.react(id, traces, {
    ...layout,
    width: document.getElementById(id).clientWidth,
    height: document.getElementById(id).clientHeight,
    paper_bgcolor: color('--ground'),
    plot_bgcolor: color('--ground'),
    font: { color: color('--ink') },
    margin: { l: 56, r: 24, t: 24, b: 56, ...layout.margin },
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
  }, { displaylogo: false, displayModeBar: false });
}
addEventListener('resize', () => charts.forEach(c => draw(...c)));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(c => draw(...c)));
