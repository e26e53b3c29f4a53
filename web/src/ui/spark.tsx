// A sparkline as SVG: gaps are gaps.
import { useMemo } from 'preact/hooks';

const WIDTH = 120;
const HEIGHT = 28;

/** Path of the line, and of the area below it, for points in equal steps. */
export function sparkPaths(points: readonly (number | null)[]): { line: string; area: string } {
  const top = Math.max(...points.map((p) => p ?? 0), 0) || 1;
  const x = (i: number): string => ((i / Math.max(1, points.length - 1)) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1);
  let line = '';
  let area = '';
  let begun = -1;
  points.forEach((value, i) => {
    if (value === null) return;
    if (i === 0 || points[i - 1] === null) {
      begun = i;
      line += `M${x(i)} ${y(value)}`;
      area += `M${x(i)} ${HEIGHT}L${x(i)} ${y(value)}`;
      if (points[i + 1] === null || points[i + 1] === undefined) line += 'h.1';
    } else {
      line += `L${x(i)} ${y(value)}`;
      area += `L${x(i)} ${y(value)}`;
    }
    if (begun >= 0 && (points[i + 1] === null || points[i + 1] === undefined)) area += `L${x(i)} ${HEIGHT}Z`;
  });
  return { line, area };
}

export function Spark({ points, label }: { points: readonly (number | null)[]; label: string }) {
  const { line, area } = useMemo(() => sparkPaths(points), [points]);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="spark-area" d={area} />
      <path class="spark-line" d={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
