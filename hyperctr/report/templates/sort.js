// Sorts a table by the column whose title is clicked; again: the other way round.
(function () {
  "use strict";

  function order(one, other) {
    const numbers = [Number(one), Number(other)];
    if (one !== "" && other !== "" && !numbers.some(Number.isNaN)) {
      return numbers[0] - numbers[1];
    }
    return one.localeCompare(other);
  }

  function sortBy(table, title, place) {
    const down = title.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const value = (row) => row.cells[place].dataset.value || "";
    const rows = Array.from(body.rows);
    rows.sort((one, other) => {
      const missing = (value(one) === "nan") - (value(other) === "nan"); // last, either way
      return missing || (down ? -1 : 1) * order(value(one), value(other));
    });
    body.append(...rows);
    for (const other of table.tHead.rows[0].cells) {
      other.removeAttribute("aria-sort");
    }
    title.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((title, place) => {
      if (!("fixed" in title.dataset)) {
        const button = document.createElement("button");
        button.append(...title.childNodes);
        title.append(button);
        button.addEventListener("click", () => sortBy(table, title, place));
      }
    });
  }
})();
