// The flame graph of Explore: crumbs, graph, level of detail, zoom from the address.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { descend } from '../engine/descend';
import type { Flame } from '../engine/flame';
import type { FrameTree } from '../engine/tree';
import type { Params } from '../net/api';
import type { Functions } from '../net/types';
import { formatExact, formatPercent, formatValue, plural } from '../state/format';
import { typeInfo } from '../state/profile_type';
import { nameHash } from '../state/zoom';
import { commit, state } from './app';
import { FlameView } from './flame_view';
import { Icon } from './icons';
import { Refiner } from './refine';

interface Props {
  /** The answer as it came; refinements stay in here. */
  answer: FrameTree;
  params: Params;
  type: string;
  functions: Functions | null;
  hovered: string;
  matches: ((name: string) => boolean) | null;
  flame: RefObject<Flame | null>;
  hover(name: string | null): void;
  select(name: string): void;
  menu(node: number, x: number, y: number): void;
}

const MAX_CRUMBS = 6;

function Crumbs({ tree, focus, zoom }: { tree: FrameTree; focus: number; zoom(node: number): void }) {
  const nodes: number[] = [];
  for (let node = focus; node > 0; node = tree.parent[node]!) nodes.unshift(node);
  const hidden = nodes.length > MAX_CRUMBS ? nodes.slice(1, nodes.length - MAX_CRUMBS + 2) : [];
  const shown = nodes.filter((n) => !hidden.includes(n));
  const short = (name: string): string => name.slice(Math.max(0, name.lastIndexOf('/') + 1));
  return (
    <nav class="crumbs" aria-label="Zoom path" data-testid="crumbs">
      <button class="ghost small" aria-current={focus === 0 ? 'true' : undefined} onClick={() => zoom(0)}>
        all
      </button>
      {shown.map((node, i) => (
        <span key={node}>
          {i === 1 && hidden.length > 0 && (
            <span class="muted" title={hidden.map((n) => tree.nameOf(n)).join(' › ')}>
              {' › … '}
            </span>
          )}
          <span class="muted" aria-hidden="true">
            {' › '}
          </span>
          <button class="ghost small mono" title={tree.nameOf(node)} aria-current={node === focus ? 'true' : undefined} onClick={() => zoom(node)}>
            <bdi>{short(tree.nameOf(node))}</bdi>
          </button>
        </span>
      ))}
      {focus > 0 && (
        <button class="ghost square small" aria-label="Zoom out to everything" onClick={() => zoom(0)}>
          <Icon name="close" />
        </button>
      )}
    </nav>
  );
}

function DetailLine({ tree }: { tree: FrameTree }) {
  const { frames, foldedValue } = tree.shownFrames();
  const { clamped, frames: all } = tree.header;
  const rest =
    foldedValue > 0
      ? `Showing ${formatExact(frames)} of ${formatExact(Math.max(all, frames))} frames; the rest is ${formatPercent(foldedValue, tree.total[0]!)} and opens on zoom`
      : `${plural(frames, 'frame')}, all shown`;
  return (
    <span data-testid="lod">
      {rest}
      {clamped > 0 && ` · negative values of ${formatValue(clamped, tree.header.unit)} are drawn as zero`}
    </span>
  );
}

export function FlamePanel(props: Props) {
  const { answer, type, flame } = props;
  const [tree, setTree] = useState(answer);
  const [focus, setFocus] = useState(0);
  const [problem, setProblem] = useState('');
  const refiner = useRef<Refiner | null>(null);
  // The latest answer, or its refinement.
  const origin = useRef(answer);
  const placed = useRef<FrameTree | null>(null);
  const shown = origin.current === answer ? tree : answer;

  useEffect(() => {
    origin.current = answer;
    setTree(answer);
    setFocus(0);
    setProblem('');
    const engine = flame.current!;
    if (engine.tree !== answer) engine.setTree(answer);
    const fresh = new Refiner(
      // A cap that the address asks for holds for the first answer: what is opened is opened.
      engine, { ...props.params, cap: undefined, min: undefined },
      (finer) => {
        setTree(finer);
        setFocus(engine.focus);
      },
      (error) => setProblem(error instanceof Error ? error.message : String(error)),
    );
    refiner.current = fresh;
    return () => fresh.stop();
  }, [answer]);

  // The address leads: a zoom made here is already there when this runs.
  const wanted = state.value.z.join('.');
  useEffect(() => {
    const engine = flame.current!;
    const current = engine.tree!.path(engine.focus).map(nameHash).join('.');
    const animate = placed.current === answer;
    placed.current = answer;
    if (current === wanted) return undefined;
    let live = true;
    const own = refiner.current!;
    void descend(engine.tree!, state.peek().z, (node) => own.refine(node, true)).then((node) => {
      if (!live) return;
      engine.zoomTo(node, { report: false, animate });
      setFocus(node);
      void own.refine(node);
    });
    return () => {
      live = false;
    };
  }, [wanted, answer]);

  const zoomed = (node: number): void => {
    const engine = flame.current!;
    setFocus(node);
    commit({ z: engine.tree!.path(node).map(nameHash) });
    void refiner.current!.refine(node);
  };
  const zoomTo = (node: number): void => flame.current!.zoomTo(node, { report: true });
  const info = typeInfo(type);
  return (
    <div class="flame-panel">
      <div class="flame-head">
        <Crumbs tree={shown} focus={focus < shown.count ? focus : 0} zoom={zoomTo} />
        <span class="spring" />
        <span class="flame-total">
          <strong>{formatValue(shown.total[0]!, info.unit)}</strong>
        </span>
      </div>
      <FlameView
        tree={shown} label={`Flame graph, ${info.label}`} grow="down" rootLabel="total" unit={info.unit} whole={shown.total[0]!}
        functions={props.functions} hovered={props.hovered} matches={props.matches} minimap main flame={flame} hover={props.hover}
        zoom={zoomed} select={props.select} menu={props.menu}
      />
      <footer class="flame-foot">
        <DetailLine tree={shown} />
        {problem && (
          <span class="bad" role="alert">
            {' '}
            · Refining failed: {problem}
          </span>
        )}
      </footer>
      <p id="fg-help" class="hidden">
        Arrow keys move between frames, Enter zooms, Escape zooms out, Shift-F10 opens the menu.
      </p>
    </div>
  );
}
