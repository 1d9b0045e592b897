// Tables of the demo: one line a row, no colours.
import Table from 'cli-table3';

export const table = (head) =>
  new Table({
    head,
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });
