// Worker that decodes large trees off the main thread and hands the columns over without copying.
import { decodeTree } from './decode';

addEventListener('message', (event: MessageEvent<{ id: number; payload: Uint8Array }>) => {
  const { id, payload } = event.data;
  try {
    const tree = decodeTree(payload);
    const { depth, name, self, flags } = tree.columns;
    const transfer = [depth.buffer, name.buffer, self.buffer, flags.buffer];
    postMessage({ id, tree }, { transfer });
  } catch (error) {
    postMessage({ id, message: error instanceof Error ? error.message : String(error) });
  }
});
