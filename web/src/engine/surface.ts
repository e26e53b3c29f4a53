// The DOM of one flame graph: two canvas layers of the size of the viewport under a native scroll container.
import { ROW } from './paint';

const MAX_RATIO = 2;
/** Browsers lay out heights up to some 10 million pixels. */
const MAX_HEIGHT = 8_000_000;

function element<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

export class Surface {
  readonly root = element('div', 'fg');
  /** Takes the focus and all input; role=tree. */
  readonly scroller = element('div', 'fg-scroll');
  /** The one tree item: the selected frame, for assistive technology. */
  readonly item = element('div', 'fg-item');
  readonly base: CanvasRenderingContext2D;
  readonly overlay: CanvasRenderingContext2D;
  width = 0;
  height = 0;
  ratio = 1;
  private readonly spacer = element('div', 'fg-spacer');

  constructor(id: string) {
    const layers = [element('canvas', 'fg-layer'), element('canvas', 'fg-layer')] as const;
    for (const layer of layers) layer.setAttribute('aria-hidden', 'true');
    this.base = layers[0].getContext('2d')!;
    this.overlay = layers[1].getContext('2d')!;
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute('role', 'tree');
    this.scroller.setAttribute('aria-activedescendant', id);
    this.item.id = id;
    this.item.setAttribute('role', 'treeitem');
    this.spacer.setAttribute('role', 'presentation');
    this.scroller.append(this.spacer, this.item);
    this.root.append(...layers, this.scroller);
  }

  /** Follows the size of the element; true when something changed. */
  measure(): boolean {
    const { clientWidth: width, clientHeight: height } = this.scroller;
    const ratio = Math.min(MAX_RATIO, devicePixelRatio || 1);
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    Object.assign(this, { width, height, ratio });
    for (const { canvas } of [this.base, this.overlay]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    return true;
  }

  /** Height of all rows. */
  setRows(rows: number): void {
    this.spacer.style.height = `${Math.min(rows * ROW, MAX_HEIGHT)}px`;
  }

  /** A cleared context in CSS pixels. */
  begin(context: CanvasRenderingContext2D): void {
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
  }
}
