// The selected row of a table, moved by keys. The focus is on the row's link, so a screen reader reads the row.

export class RowSelection {
  constructor(body, id = null) {
    this.body = body;
    this.id = id;
    body.addEventListener("focusin", (event) => this.select(event.target.closest("tr"), { focus: false }));
  }

  get rows() {
    return [...this.body.querySelectorAll("tr[data-id]")];
  }

  get current() {
    return this.rows.find((row) => row.dataset.id === this.id) ?? null;
  }

  move(by) {
    const { rows } = this;
    const at = rows.indexOf(this.current);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by;
    if (rows[next]) this.select(rows[next]);
    return Boolean(rows[next]);
  }

  moveTo(matches) {
    const { rows } = this;
    const next = rows.slice(rows.indexOf(this.current) + 1).find(matches);
    if (next) this.select(next);
    return Boolean(next);
  }

  select(row, { focus = true } = {}) {
    if (!row?.dataset.id) return;
    this.current?.classList.remove("selected");
    this.id = row.dataset.id;
    row.classList.add("selected");
    if (focus) {
      row.querySelector("a")?.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  }

  // Moves the focus to the selected row.
  focus() {
    if (this.current) this.select(this.current);
  }

  // Marks the row again after the table was filled anew.
  restore() {
    this.current?.classList.add("selected");
  }

  open() {
    (this.current ?? this.rows[0])?.querySelector("a")?.click();
  }
}
