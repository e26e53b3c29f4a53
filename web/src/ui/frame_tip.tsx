// The tooltip of a frame or of a run of small frames.
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Hit } from '../engine/flame';
import type { FrameTree } from '../engine/tree';
import { HUES, hueOf } from '../engine/palette';
import type { Functions } from '../net/types';
import { formatExact, formatPercent, formatValue } from '../state/format';

interface Props {
  hit: Hit;
  x: number;
  y: number;
  tree: FrameTree;
  unit: string;
  whole: number;
  rootLabel: string;
  functions: Functions | null;
}

interface Line {
  label: string;
  value: number;
  of: string;
}

/** Exact figure of the function over all its frames. */
function functionLines(functions: Functions | null, name: string): Line[] {
  const at = functions?.names.indexOf(name) ?? -1;
  if (!functions || at < 0) return [];
  return [
    { label: 'function total', value: functions.totals[at]!, of: formatPercent(functions.totals[at]!, functions.total) },
    { label: 'function self', value: functions.self[at]!, of: formatPercent(functions.self[at]!, functions.total) },
  ];
}

function frameLines({ tree, whole }: Props, node: number): Line[] {
  const total = tree.total[node]!;
  const lines = [{ label: 'total', value: total, of: formatPercent(total, whole) }];
  if (!tree.folded(node)) lines.push({ label: 'self', value: tree.columns.self[node]!, of: formatPercent(tree.columns.self[node]!, whole) });
  if (node > 0) {
    const parent = tree.total[tree.parent[node]!]!;
    lines.push({ label: 'of parent', value: NaN, of: formatPercent(total, parent) });
  }
  return lines;
}

function Lines({ lines, unit }: { lines: Line[]; unit: string }) {
  return (
    <>
      {lines.map(({ label, value, of }) => (
        <tr key={label}>
          <th scope="row">{label}</th>
          <td>{Number.isNaN(value) ? '' : formatValue(value, unit)}</td>
          <td>{of}</td>
          <td class="muted">{Number.isNaN(value) || unit === 'count' ? '' : formatExact(value)}</td>
        </tr>
      ))}
    </>
  );
}

function FrameBody(props: Props & { node: number }) {
  const { tree, node, unit, functions, rootLabel } = props;
  const id = tree.columns.name[node]!;
  const { text, pkg, file, line, binary, kind } = tree.names;
  const name = text[id] || rootLabel;
  if (tree.folded(node)) {
    return (
      <>
        <strong>Small frames, folded</strong>
        <p class="muted">They open when you zoom into {tree.nameOf(tree.parent[node]!) || rootLabel}.</p>
        <table>
          <Lines lines={frameLines(props, node)} unit={unit} />
        </table>
      </>
    );
  }
  return (
    <>
      <strong class="mono tip-name">
        <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
          <rect width="10" height="10" rx="2" fill={HUES[hueOf(name, pkg[id]!)]} />
        </svg>
        <bdi>{name}</bdi>
      </strong>
      {file[id] && <div class="muted mono">{`${file[id]}${line[id] ? `:${line[id]}` : ''}`}</div>}
      {binary[id] && <div class="muted mono">{binary[id]}</div>}
      {kind[id] === 1 && <div class="muted">kernel</div>}
      <table>
        <Lines lines={frameLines(props, node)} unit={unit} />
        <Lines lines={functionLines(functions, text[id]!)} unit={unit} />
      </table>
    </>
  );
}

const NAMED_RUNS = 5000;

function RunBody({ tree, unit, whole, nodes }: Props & { nodes: Uint32Array }) {
  let sum = 0;
  let largest = nodes[0]!;
  for (const node of nodes) {
    sum += tree.total[node]!;
    if (!tree.folded(node) && (tree.folded(largest) || tree.total[node]! > tree.total[largest]!)) largest = node;
  }
  const count = nodes.length > NAMED_RUNS ? formatExact(nodes.length) : String(nodes.length);
  return (
    <>
      <strong>{`${count} small frames · ${formatPercent(sum, whole)}`}</strong>
      <div>{formatValue(sum, unit)} in all. Click to zoom to them.</div>
      {!tree.folded(largest) && (
        <div class="muted">
          largest <span class="mono">{tree.nameOf(largest)}</span> {formatPercent(tree.total[largest]!, whole)}
        </div>
      )}
    </>
  );
}

const OFFSET = 14;

export function FrameTip(props: Props) {
  const { hit, x, y } = props;
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const tip = box.current!;
    const left = x + OFFSET + tip.offsetWidth > innerWidth - 8 ? x - OFFSET - tip.offsetWidth : x + OFFSET;
    const top = y + OFFSET + tip.offsetHeight > innerHeight - 8 ? y - OFFSET - tip.offsetHeight : y + OFFSET;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  });
  return (
    <div ref={box} class="tip" role="tooltip" data-testid="tip">
      {hit.kind === 'frame' ? <FrameBody {...props} node={hit.node} /> : <RunBody {...props} nodes={hit.nodes} />}
      <div class="muted tip-hint">hold Shift to keep this</div>
    </div>
  );
}
