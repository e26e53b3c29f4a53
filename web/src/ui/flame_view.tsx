// One Flame in a component: mounting, palette, highlights, tooltip.
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Flame, type Hit } from '../engine/flame';
import { FlameInput } from '../engine/flame_input';
import { installHook } from '../engine/hook';
import { Minimap } from '../engine/minimap';
import type { FrameTree } from '../engine/tree';
import { formatPercent, formatValue } from '../state/format';
import { isStill, themeVersion } from './app';
import { FrameTip } from './frame_tip';
import { enginePalette } from './theme';
import type { Functions } from '../net/types';

export interface FlameViewProps {
  tree: FrameTree;
  label: string;
  grow: 'down' | 'up';
  rootLabel: string;
  unit: string;
  /** Value that percentages are of. */
  whole: number;
  functions: Functions | null;
  hovered: string;
  matches: ((name: string) => boolean) | null;
  minimap?: boolean;
  /** Gets `window.__flame`. */
  main?: boolean;
  flame: RefObject<Flame | null>;
  hover(name: string | null): void;
  zoom(node: number): void;
  select(name: string): void;
  menu(node: number, x: number, y: number): void;
}

let lastId = 0;

interface TipState {
  hit: Hit;
  x: number;
  y: number;
}

const KERNEL_WORDS = 'kernel frame';

function describe(tree: FrameTree, node: number, unit: string, whole: number, rootLabel: string): string {
  const name = tree.folded(node) ? 'folded small frames' : tree.nameOf(node) || rootLabel;
  const total = tree.total[node]!;
  const kernel = tree.names.kind[tree.columns.name[node]!] === 1 ? `, ${KERNEL_WORDS}` : '';
  return `${name}, total ${formatValue(total, unit)}, ${formatPercent(total, whole).replace('%', 'percent')}, self ${formatValue(tree.columns.self[node]!, unit)}${kernel}`;
}

/** The tip stays while Shift is held. */
function useFrozen(): RefObject<boolean> {
  const frozen = useRef(false);
  useEffect(() => {
    const follow = (event: KeyboardEvent): void => {
      if (event.key === 'Shift') frozen.current = event.type === 'keydown';
    };
    const release = (): void => {
      frozen.current = false;
    };
    addEventListener('keydown', follow);
    addEventListener('keyup', follow);
    addEventListener('blur', release);
    return () => {
      removeEventListener('keydown', follow);
      removeEventListener('keyup', follow);
      removeEventListener('blur', release);
    };
  }, []);
  return frozen;
}

export function FlameView(props: FlameViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const strip = useRef<HTMLDivElement>(null);
  const [tip, setTip] = useState<TipState | null>(null);
  const [zoomed, setZoomed] = useState(false);
  const frozen = useFrozen();
  const current = useRef(props);
  current.current = props;

  // Before the effects of the owner, which gives it the tree.
  useLayoutEffect(() => {
    const flame = new Flame(
      {
        id: `fg-active-${++lastId}`,
        grow: props.grow,
        get rootLabel() {
          return current.current.rootLabel;
        },
        palette: enginePalette(),
        still: isStill,
        describe: (node) => describe(flame.tree!, node, current.current.unit, current.current.whole, current.current.rootLabel),
        value: (node) => formatValue(flame.tree!.total[node]!, current.current.unit),
      },
      {
        hover(hit, x, y) {
          if (frozen.current) return;
          setTip(hit && { hit, x, y });
          const name = hit?.kind === 'frame' ? flame.tree!.nameOf(hit.node) : '';
          current.current.hover(name || null);
        },
        zoom: (node) => current.current.zoom(node),
        select: (node) => current.current.select(flame.tree!.nameOf(node)),
        menu: (hit, x, y) => {
          setTip(null);
          if (hit.kind === 'frame') current.current.menu(hit.node, x, y);
        },
        drawn() {
          setZoomed(flame.camera.zoomed);
          minimap?.draw();
        },
      },
    );
    const minimap = props.minimap ? new Minimap(flame) : null;
    const input = new FlameInput(flame);
    flame.surface.scroller.setAttribute('aria-describedby', 'fg-help');
    host.current!.append(flame.surface.root);
    if (minimap) strip.current!.append(minimap.canvas);
    const remove = props.main ? installHook(flame) : () => undefined;
    props.flame.current = flame;
    return () => {
      remove();
      input.destroy();
      minimap?.destroy();
      flame.destroy();
      props.flame.current = null;
    };
  }, []);

  useEffect(() => {
    // The tree itself is given to the engine by the owner, who also refines it.
    props.flame.current!.surface.scroller.setAttribute('aria-label', `${props.label}, ${props.tree.maxDepth + 1} levels`);
  }, [props.tree, props.label]);
  useEffect(() => props.flame.current!.setPalette(enginePalette()), [themeVersion.value]);
  useEffect(() => {
    const { matches, tree } = props;
    props.flame.current!.setMatches(matches && Uint8Array.from(tree.names.text, (text) => (text !== '' && matches(text) ? 1 : 0)));
  }, [props.matches, props.tree]);
  useEffect(() => {
    props.flame.current!.highlight(props.hovered === '' ? -1 : props.tree.names.text.indexOf(props.hovered));
  }, [props.hovered, props.tree]);

  return (
    <>
      <div ref={strip} class={`fg-strip${zoomed || props.matches ? '' : ' idle'}`} hidden={!props.minimap} />
      <div ref={host} class="fg-host" data-testid={props.main ? 'flame' : undefined} />
      {tip && <FrameTip {...tip} tree={props.tree} unit={props.unit} whole={props.whole} rootLabel={props.rootLabel} functions={props.functions} />}
    </>
  );
}
