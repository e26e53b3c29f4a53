// The window on the value axis: where it is, where it is going, and the arithmetic of zooming and panning.

export interface Range {
  x0: number;
  x1: number;
}

const DURATION_MS = 140;
/** The narrowest window, as a part of the whole: beyond it doubles lose the edges. */
const MIN_PART = 1e-9;

export class Camera {
  private from: Range = { x0: 0, x1: 1 };
  private to: Range = { x0: 0, x1: 1 };
  private begun = 0;
  private whole = 1;

  constructor(private readonly still: () => boolean) {}

  /** A new tree of this total: everything is in view. */
  reset(total: number): void {
    this.whole = Math.max(total, MIN_PART);
    this.from = this.to = { x0: 0, x1: this.whole };
    this.begun = 0;
  }

  get target(): Range {
    return this.to;
  }

  get zoomed(): boolean {
    return this.to.x1 - this.to.x0 < this.whole * (1 - 1e-12);
  }

  /** Moves to a range at once, inside the whole. */
  jump(range: Range): void {
    this.to = this.inside(range);
    this.begun = 0;
  }

  /** Moves to a range; animated unless motion is unwanted. */
  glide(range: Range, now: number): void {
    if (this.still()) return this.jump(range);
    this.from = this.at(now);
    this.to = this.inside(range);
    this.begun = now;
  }

  moving(now: number): boolean {
    return this.begun > 0 && now - this.begun < DURATION_MS;
  }

  at(now: number): Range {
    if (!this.moving(now)) return this.to;
    const t = 1 - (1 - (now - this.begun) / DURATION_MS) ** 3;
    const { from, to } = this;
    return { x0: from.x0 + (to.x0 - from.x0) * t, x1: from.x1 + (to.x1 - from.x1) * t };
  }

  /** Zooms by `factor` (> 1 is closer) keeping the point at `part` (0–1) of the window in place. */
  zoomAt(part: number, factor: number): void {
    const { x0, x1 } = this.to;
    const width = Math.min(this.whole, (x1 - x0) / factor);
    const point = x0 + (x1 - x0) * part;
    this.jump({ x0: point - width * part, x1: point + width * (1 - part) });
  }

  /** Moves the window by a part of its width. */
  pan(part: number): void {
    const by = (this.to.x1 - this.to.x0) * part;
    this.jump({ x0: this.to.x0 + by, x1: this.to.x1 + by });
  }

  private inside({ x0, x1 }: Range): Range {
    const width = Math.min(this.whole, Math.max(x1 - x0, this.whole * MIN_PART));
    const left = Math.min(Math.max(0, x0), this.whole - width);
    return { x0: left, x1: left + width };
  }
}
