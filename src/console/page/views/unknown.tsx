/** An address that has no view. */
import { Empty } from '../parts/notice.js';

export function Unknown() {
  return (
    <>
      <h1>Not found</h1>
      <Empty icon="search" title="There is no such page">
        <a href="/">Go to the overview</a>
      </Empty>
    </>
  );
}
