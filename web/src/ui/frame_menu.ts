// What the menu of a frame, or of a function in the table, offers.
import type { Flame } from '../engine/flame';
import { nameHash } from '../state/zoom';
import { printUrl } from '../state/url';
import { adjust, commit, state } from './app';
import { copyText } from './clipboard';
import type { MenuGroup } from './menu';

export interface OpenMenu {
  title: string;
  x: number;
  y: number;
  groups: MenuGroup[];
}

const copyGroup = (name: string): MenuGroup => ({
  title: 'Copy',
  items: [{ label: 'Name', run: () => void copyText(name) }],
});

/** A name as a search that finds exactly it. */
const asSearch = (name: string): string => `/^${name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$/`;

export function nameMenu(name: string, x: number, y: number): OpenMenu {
  return {
    title: name,
    x,
    y,
    groups: [
      {
        title: 'Focus',
        items: [
          { label: 'Sandwich', key: 'w', also: 'callers and callees, butterfly', run: () => commit({ view: 'sandwich', fn: name }) },
          { label: 'Search for it', also: 'highlight', run: () => adjust({ q: asSearch(name) }) },
        ],
      },
      copyGroup(name),
    ],
  };
}

export function frameMenu(flame: Flame, node: number, x: number, y: number): OpenMenu {
  const tree = flame.tree!;
  const frame = tree.folded(node) ? tree.parent[node]! : node;
  const name = tree.nameOf(frame);
  const path = tree.path(frame);
  const zoom = { label: 'Zoom to it', key: 'Enter', also: 'focus on block', run: () => flame.zoomTo(frame, { report: true }) };
  if (name === '') return { title: 'total', x, y, groups: [{ title: 'Focus', items: [zoom] }] };
  const menu = nameMenu(name, x, y);
  menu.groups[0]!.items.unshift(zoom);
  const link = (): string => location.origin + printUrl({ ...state.peek(), z: path.map(nameHash) });
  menu.groups[1]!.items.push(
    { label: 'Stack as text', run: () => void copyText([...path].reverse().join('\n')) },
    { label: 'Stack as Markdown', run: () => void copyText(path.map((part, i) => `${'  '.repeat(i)}- \`${part}\``).join('\n')) },
    { label: 'Link to this frame', run: () => void copyText(link()) },
  );
  return menu;
}
