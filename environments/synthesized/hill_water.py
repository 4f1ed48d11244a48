"""Height measurements of a hillside are given as rows of whole numbers; all rows are equally long. A
spring opens in the field at `row` and `column`, both counted from 0. Water flows from a field to
those of its four neighbours (above, left, right, below) that are strictly lower. Answer how many
fields get wet, the field of the spring included.

You are not shown heights; ask the tools about it. You know row = {row}, column = {column}.
"""


META = {
    'title': 'Hill water',
    'tags': ['traced'],
    'public': ['row', 'column'],
    'source': 'codegym-mcp examples, problem hill-water',
    'license': 'MIT',
}


def flows(heights, row, column, next_row, next_column):
    return heights[next_row][next_column] < heights[row][column]

def count_rows(heights):
    return len(heights)

def count_columns(heights):
    return len(heights[0])

def wet_fields(heights, row, column):
    rows = count_rows(heights)
    columns = count_columns(heights)
    wet = [(row, column)]
    done = 0
    while done < len(wet):
        row, column = wet[done]
        done += 1
        for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            next_row, next_column = (row + down, column + right)
            if not (0 <= next_row < rows and 0 <= next_column < columns):
                continue
            if (next_row, next_column) not in wet and flows(heights, row, column, next_row, next_column):
                wet.append((next_row, next_column))
    return len(wet)


class Environment:
    def __init__(self, heights: list[list[int]], row: int, column: int):
        self.heights = heights

    def count_rows(self) -> int:
        """Returns the number of rows."""
        try:
            return count_rows(self.heights)
        except Exception:
            raise ValueError("count_rows is not possible in this state; another call has to come first.")

    def count_columns(self) -> int:
        """Returns the number of columns."""
        try:
            return count_columns(self.heights)
        except Exception:
            raise ValueError("count_columns is not possible in this state; another call has to come first.")

    def flows(self, row: int, column: int, next_row: int, next_column: int) -> bool:
        """Returns whether the second field is strictly lower than the first one.

        Args:
            row: position in `heights`, counted from 0.
            column: position in `heights[row]`, counted from 0.
            next_row: position in `heights`, counted from 0.
            next_column: position in `heights[next_row]`, counted from 0.
        """
        if not 0 <= row < len(self.heights):
            raise ValueError(f"row must be at least 0 and less than {len(self.heights)}.")
        if not 0 <= column < len(self.heights[row]):
            raise ValueError(f"column must be at least 0 and less than {len(self.heights[row])}.")
        if not 0 <= next_row < len(self.heights):
            raise ValueError(f"next_row must be at least 0 and less than {len(self.heights)}.")
        if not 0 <= next_column < len(self.heights[next_row]):
            raise ValueError(f"next_column must be at least 0 and less than {len(self.heights[next_row])}.")
        try:
            return bool(flows(self.heights, row, column, next_row, next_column))
        except Exception:
            raise ValueError("flows is not defined for this row, column, next_row and next_column; choose other arguments.")


def reference(heights: list[list[int]], row: int, column: int) -> int:
    return wet_fields(heights, row, column)


def solve(tools, row, column):
    count_rows_2 = tools.count_rows()
    count_columns_2 = tools.count_columns()
    rows = count_rows_2
    columns = count_columns_2
    wet = [(row, column)]
    done = 0
    while done < len(wet):
        row, column = wet[done]
        done += 1
        for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            next_row, next_column = (row + down, column + right)
            if not (0 <= next_row < rows and 0 <= next_column < columns):
                continue
            if (next_row, next_column) not in wet and tools.flows(row=row, column=column, next_row=next_row, next_column=next_column):
                wet.append((next_row, next_column))
    return len(wet)
