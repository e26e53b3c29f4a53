// uPlot behind one module: a time chart with a drag brush. Nothing else of the page knows it.
import uPlot from 'uplot';
import { mix } from '../engine/palette';
import type { Points } from '../net/types';
import { clock, isoDay, wallOf, type Zone } from '../state/zone';

export interface Line {
  label: string;
  colour: string;
  points: Points;
}

export interface ChartData {
  /** ms of each point. */
  times: number[];
  lines: Line[];
  /** Lines lie on each other and are filled. */
  stacked: boolean;
  /** The range of the axis, ms. */
  from: number;
  to: number;
}

export interface ChartOptions {
  text: string;
  grid: string;
  panel: string;
  zone: Zone;
  /** Ticks at powers of two. */
  binary: boolean;
  format(value: number): string;
  brush(from: number, to: number): void;
  clear(): void;
  /** Point under the cursor, or null; `left` and `top` are page coordinates. */
  cursor(index: number | null, left: number, top: number): void;
}

/** Each line plus all below it; a gap stays a gap. */
export function stack(lines: readonly Line[]): Points[] {
  const sums = new Array<number>(lines[0]?.points.length ?? 0).fill(0);
  return lines.map(({ points }) => points.map((value, i) => (value === null ? null : (sums[i] = sums[i]! + value))));
}

const MIN_BRUSH_PIXELS = 5;
/** Steps of an axis of bytes. */
const POWERS = Array.from({ length: 60 }, (_, n) => 2 ** n);
const AXIS_FONT = '11px system-ui, sans-serif';

export class Chart {
  private plot: uPlot | null = null;
  private shape = '';
  private readonly observer: ResizeObserver;

  constructor(
    private readonly host: HTMLElement,
    private options: ChartOptions,
  ) {
    this.observer = new ResizeObserver(() => this.plot?.setSize(this.size()));
    this.observer.observe(host);
  }

  destroy(): void {
    this.observer.disconnect();
    this.plot?.destroy();
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(50, this.host.clientWidth), height: Math.max(50, this.host.clientHeight) };
  }

  set(data: ChartData, options: ChartOptions, brush: { from: number; to: number } | null): void {
    this.options = options;
    const shape = JSON.stringify([data.lines.map((l) => [l.label, l.colour]), data.stacked, options.text, options.grid, options.panel, options.zone, options.binary]);
    if (shape !== this.shape) {
      this.plot?.destroy();
      this.plot = this.create(data);
      this.shape = shape;
    }
    const values = data.stacked ? stack(data.lines) : data.lines.map((l) => l.points);
    // Upper areas are drawn first, so that the lower ones stay visible.
    const columns = data.stacked ? [...values].reverse() : values;
    const plot = this.plot!;
    plot.batch(() => {
      plot.setData([data.times.map((t) => t / 1000), ...columns] as uPlot.AlignedData, false);
      plot.setScale('x', { min: data.from / 1000, max: data.to / 1000 });
    });
    this.showBrush(brush);
  }

  private showBrush(brush: { from: number; to: number } | null): void {
    const plot = this.plot!;
    if (!brush) return plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    const left = plot.valToPos(brush.from / 1000, 'x');
    const width = plot.valToPos(brush.to / 1000, 'x') - left;
    plot.setSelect({ left, top: 0, width, height: plot.over.clientHeight }, false);
  }

  private create(data: ChartData): uPlot {
    const lines = data.stacked ? [...data.lines].reverse() : data.lines;
    const series = lines.map(({ label, colour }): uPlot.Series => ({
      label,
      stroke: colour,
      width: data.stacked ? 1 : 2,
      fill: mix(colour, this.options.panel, data.stacked ? 0.62 : 0.16),
      spanGaps: false,
      points: { size: 4 },
    }));
    const { text, grid } = this.options;
    const axis = { stroke: text, font: AXIS_FONT, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    return new uPlot(
      {
        ...this.size(),
        legend: { show: false },
        padding: [8, 8, 0, 0],
        cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 5 }, y: false },
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] } },
        axes: [
          { ...axis, size: 24, space: 80, gap: 6, values: (_, splits) => this.instants(splits) },
          { ...axis, size: 78, space: 26, gap: 6, incrs: this.options.binary ? POWERS : undefined, values: (_, splits) => this.amounts(splits) },
        ],
        series: [{}, ...series],
        hooks: {
          ready: [(plot) => this.listen(plot)],
          setSelect: [(plot) => this.brushed(plot)],
          setCursor: [(plot) => this.cursorMoved(plot)],
        },
      },
      [data.times.map((t) => t / 1000), ...lines.map((l) => l.points)] as uPlot.AlignedData,
      this.host,
    );
  }

  /** Labels of the value axis; one that says the same as the one before is left out. */
  private amounts(values: readonly number[]): string[] {
    const labels = values.map((value) => this.options.format(value));
    return labels.map((label, i) => (label === labels[i - 1] ? '' : label));
  }

  /** Clock times in the page's zone; the day where it changes or when points are days apart. */
  private instants(seconds: readonly number[]): string[] {
    const walls = seconds.map((s) => wallOf(s * 1000, this.options.zone));
    const fine = seconds.length > 1 && seconds[1]! - seconds[0]! < 60;
    return walls.map((wall, i) => {
      const before = walls[i - 1];
      const midnight = wall.hour === 0 && wall.minute === 0 && wall.second === 0;
      const newDay = before !== undefined && isoDay(before) !== isoDay(wall);
      return midnight || newDay ? isoDay(wall).slice(5) : clock(wall, fine);
    });
  }

  private listen(plot: uPlot): void {
    plot.over.addEventListener('dblclick', () => this.options.clear());
  }

  private brushed(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < MIN_BRUSH_PIXELS) return;
    const at = (x: number): number => Math.round(plot.posToVal(x, 'x') * 1000);
    this.options.brush(at(left), at(left + width));
  }

  private cursorMoved(plot: uPlot): void {
    const { idx, left, top } = plot.cursor;
    const over = plot.over.getBoundingClientRect();
    const inside = idx !== null && idx !== undefined && (left ?? -1) >= 0;
    this.options.cursor(inside ? idx : null, over.left + (left ?? 0), over.top + (top ?? 0));
  }
}
