// Pointer, wheel and keyboard of a flame graph.
import type { Flame, Hit } from './flame';

const CLICK_SLOP = 4;
const WHEEL_STEP = 1.0016;
const LINE_PIXELS = 16;

export class FlameInput {
  private pointers = new Map<number, { x: number; y: number }>();
  private pressed: { x: number; y: number; dragging: boolean } | null = null;
  private pinch = 0;
  private readonly abort = new AbortController();

  constructor(private readonly flame: Flame) {
    const { scroller } = flame.surface;
    const on = <K extends keyof HTMLElementEventMap>(
      type: K, handler: (event: HTMLElementEventMap[K]) => void, options: AddEventListenerOptions = {},
    ): void => scroller.addEventListener(type, handler, { ...options, signal: this.abort.signal });
    on('pointermove', (event) => this.move(event));
    on('pointerleave', (event) => this.leave(event));
    on('pointerdown', (event) => this.down(event));
    on('pointerup', (event) => this.up(event));
    on('pointercancel', (event) => this.cancel(event));
    on('wheel', (event) => this.wheel(event), { passive: false });
    on('contextmenu', (event) => this.menu(event));
    on('keydown', (event) => this.key(event));
    on('scroll', () => {
      flame.setHover(null);
      flame.events.hover(null, 0, 0);
      flame.invalidate();
    });
    on('focus', () => flame.select(flame.selected, { report: false }));
    on('blur', () => flame.invalidate());
  }

  destroy(): void {
    this.abort.abort();
  }

  private local(event: MouseEvent): { x: number; y: number } {
    const box = this.flame.surface.scroller.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private hitAt(event: MouseEvent): Hit | null {
    const { x, y } = this.local(event);
    return this.flame.hit(x, y);
  }

  private move(event: PointerEvent): void {
    const held = this.pointers.get(event.pointerId);
    if (held && this.pressed) return this.drag(event, held);
    const hit = this.hitAt(event);
    this.flame.surface.scroller.classList.toggle('over', hit !== null);
    this.flame.setHover(hit);
    this.flame.events.hover(hit, event.clientX, event.clientY);
  }

  private leave(event: PointerEvent): void {
    if (this.pointers.has(event.pointerId)) return;
    this.flame.setHover(null);
    this.flame.events.hover(null, event.clientX, event.clientY);
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0 || event.offsetX >= this.flame.surface.width) return;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.pressed = { x: event.clientX, y: event.clientY, dragging: false };
    this.pinch = 0;
  }

  private drag(event: PointerEvent, held: { x: number; y: number }): void {
    const { flame, pressed } = this;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    held.x = event.clientX;
    held.y = event.clientY;
    if (this.pointers.size === 2) return this.pinchMove();
    if (!pressed!.dragging) {
      if (Math.hypot(event.clientX - pressed!.x, event.clientY - pressed!.y) < CLICK_SLOP) return;
      pressed!.dragging = true;
      flame.surface.scroller.setPointerCapture(event.pointerId);
      flame.surface.scroller.classList.add('dragging');
      flame.events.hover(null, 0, 0);
      flame.setHover(null);
    }
    if (flame.camera.zoomed) flame.camera.pan(-dx / flame.surface.width);
    if (event.pointerType === 'mouse') flame.surface.scroller.scrollTop -= dy;
    flame.invalidate();
  }

  private pinchMove(): void {
    const [a, b] = [...this.pointers.values()] as [{ x: number; y: number }, { x: number; y: number }];
    const distance = Math.hypot(a.x - b.x, a.y - b.y);
    this.pressed!.dragging = true;
    if (this.pinch > 0 && distance > 0) {
      const box = this.flame.surface.scroller.getBoundingClientRect();
      this.flame.camera.zoomAt(((a.x + b.x) / 2 - box.left) / box.width, distance / this.pinch);
      this.flame.invalidate();
    }
    this.pinch = distance;
  }

  private up(event: PointerEvent): void {
    const clicked = this.pressed && !this.pressed.dragging && this.pointers.has(event.pointerId);
    this.cancel(event);
    if (!clicked) return;
    const hit = this.hitAt(event);
    if (hit) this.activate(hit);
  }

  private cancel(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    this.pinch = 0;
    if (this.pointers.size === 0) this.pressed = null;
    this.flame.surface.scroller.classList.remove('dragging');
  }

  /** A click: zoom to the frame, or to the run. */
  private activate(hit: Hit): void {
    const { flame } = this;
    if (hit.kind === 'run') return flame.zoomToRange(hit.range);
    const node = flame.tree!.folded(hit.node) ? flame.tree!.parent[hit.node]! : hit.node;
    flame.select(node, { report: true });
    flame.zoomTo(node, { report: true });
  }

  private wheel(event: WheelEvent): void {
    const { flame } = this;
    const unit = event.deltaMode === 1 ? LINE_PIXELS : 1;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const { x } = this.local(event);
      flame.camera.zoomAt(x / flame.surface.width, WHEEL_STEP ** -(event.deltaY * unit));
    } else {
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (sideways === 0 || !flame.camera.zoomed) return;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) event.preventDefault();
      flame.camera.pan((sideways * unit) / flame.surface.width);
    }
    flame.setHover(null);
    flame.invalidate();
  }

  private menu(event: MouseEvent): void {
    event.preventDefault();
    const fromKey = event.button !== 2 && event.detail === 0 && !(event instanceof PointerEvent && event.pointerType !== '');
    const hit = fromKey ? null : this.hitAt(event);
    if (hit) this.flame.events.menu(hit, event.clientX, event.clientY);
    else if (fromKey) this.menuAtSelection();
  }

  menuAtSelection(): void {
    const { flame } = this;
    const box = flame.surface.scroller.getBoundingClientRect();
    const { x, y, width, height } = flame.rectOf(flame.selected);
    const middle = Math.min(box.width - 8, Math.max(8, x + Math.min(width / 2, 120)));
    flame.events.menu({ kind: 'frame', node: flame.selected }, box.left + middle, box.top + y + height);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.flame.tree) return;
    if (event.shiftKey && !'+_'.includes(event.key) && event.key !== 'F10') return;
    const action = this.keyAction(event.key);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  private keyAction(key: string): (() => void) | null {
    const { flame } = this;
    const towards = flame.options.grow === 'up' ? { ArrowUp: 1, ArrowDown: -1 } : { ArrowUp: -1, ArrowDown: 1 };
    const go = (node: number): void => flame.select(node, { report: true });
    const zoom = (factor: number) => () => {
      const { x, width } = flame.rectOf(flame.selected);
      const middle = (x + width / 2) / flame.surface.width;
      flame.camera.zoomAt(Math.min(1, Math.max(0, middle)), factor);
      flame.invalidate();
    };
    switch (key) {
      case 'ArrowUp':
      case 'ArrowDown':
        return () => go(towards[key] < 0 ? this.parent() : this.child());
      case 'ArrowLeft':
        return () => go(this.sibling(-1));
      case 'ArrowRight':
        return () => go(this.sibling(1));
      case 'Home':
        return () => go(0);
      case 'Enter':
        return () => flame.zoomTo(flame.selected, { report: true });
      case 'Escape':
        return flame.camera.zoomed ? () => flame.zoomOut() : null;
      case '0':
        return () => flame.zoomTo(0, { report: true });
      case '+':
      case '=':
        return zoom(1.5);
      case '_':
        return zoom(1 / 1.5);
      case 'ContextMenu':
      case 'F10':
        return () => this.menuAtSelection();
      default:
        return null;
    }
  }

  private parent(): number {
    const { tree, selected } = this.flame;
    return Math.max(0, tree!.parent[selected]!);
  }

  private child(): number {
    const { tree, selected } = this.flame;
    return tree!.children(selected)[0] ?? selected;
  }

  private sibling(step: -1 | 1): number {
    const { tree, selected } = this.flame;
    if (selected === 0) return 0;
    const siblings = tree!.children(tree!.parent[selected]!);
    return siblings[siblings.indexOf(selected) + step] ?? selected;
  }
}
