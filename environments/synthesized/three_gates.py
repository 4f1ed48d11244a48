"""Farmers drive their carts to a market by three roads; `north`, `east` and `south` have the minutes
in which the carts of each road arrive at the gate, in ascending order. One cart after another is
let in: the one that arrived first of the carts in front on the three roads; of carts that arrived
in the same minute, the one from the north goes first, then the one from the east. There is one
exception: after `most` carts in a row from the same road, the next cart comes from another road, by
the same rule among the other two, if a cart is left there. Answer with a text with one letter for
each cart in order: "N", "E" or "S". `most` is at least 1.

You are not shown north, east and south; ask the tools about them. You know most = {most}.
"""


META = {
    'title': 'Three gates',
    'tags': ['traced'],
    'public': ['most'],
    'source': 'codegym-mcp examples, problem three-gates',
    'license': 'MIT',
}


def north_is_before_east(north, east, first, second):
    return north[first] <= east[second]

def north_is_before_south(north, south, first, third):
    return north[first] <= south[third]

def east_is_before_south(east, south, second, third):
    return east[second] <= south[third]

def admit(north, east, south, most):
    norths = len(north)
    easts = len(east)
    souths = len(south)
    first = second = third = row = 0
    order = last = ''
    while first < norths or second < easts or third < souths:
        barred = last if row >= most else ''
        best = ''
        if first < norths and barred != 'N':
            best = 'N'
        if second < easts and barred != 'E':
            if best == '' or not north_is_before_east(north, east, first, second):
                best = 'E'
        if third < souths and barred != 'S':
            if best == '':
                best = 'S'
            elif best == 'N':
                if not north_is_before_south(north, south, first, third):
                    best = 'S'
            elif not east_is_before_south(east, south, second, third):
                best = 'S'
        if best == '':
            best = barred
        row = row + 1 if best == last else 1
        last = best
        order += best
        if best == 'N':
            first += 1
        elif best == 'E':
            second += 1
        else:
            third += 1
    return order


class Environment:
    def __init__(self, north: list[int], east: list[int], south: list[int], most: int):
        self.north = north
        self.east = east
        self.south = south

    def count_north(self) -> int:
        """Returns the length of `north`."""
        return len(self.north)

    def count_east(self) -> int:
        """Returns the length of `east`."""
        return len(self.east)

    def count_south(self) -> int:
        """Returns the length of `south`."""
        return len(self.south)

    def north_is_before_east(self, first: int, second: int) -> bool:
        """Returns whether a cart from the north came no later than a cart from the east.

        Args:
            first: position in `north`, counted from 0.
            second: position in `east`, counted from 0.
        """
        if not 0 <= first < len(self.north):
            raise ValueError(f"first must be at least 0 and less than {len(self.north)}.")
        if not 0 <= second < len(self.east):
            raise ValueError(f"second must be at least 0 and less than {len(self.east)}.")
        try:
            return bool(north_is_before_east(self.north, self.east, first, second))
        except Exception:
            raise ValueError("north_is_before_east is not defined for this first and second; choose other arguments.")

    def north_is_before_south(self, first: int, third: int) -> bool:
        """Returns whether a cart from the north came no later than a cart from the south.

        Args:
            first: position in `north`, counted from 0.
            third: position in `south`, counted from 0.
        """
        if not 0 <= first < len(self.north):
            raise ValueError(f"first must be at least 0 and less than {len(self.north)}.")
        if not 0 <= third < len(self.south):
            raise ValueError(f"third must be at least 0 and less than {len(self.south)}.")
        try:
            return bool(north_is_before_south(self.north, self.south, first, third))
        except Exception:
            raise ValueError("north_is_before_south is not defined for this first and third; choose other arguments.")

    def east_is_before_south(self, second: int, third: int) -> bool:
        """Returns whether a cart from the east came no later than a cart from the south.

        Args:
            second: position in `east`, counted from 0.
            third: position in `south`, counted from 0.
        """
        if not 0 <= second < len(self.east):
            raise ValueError(f"second must be at least 0 and less than {len(self.east)}.")
        if not 0 <= third < len(self.south):
            raise ValueError(f"third must be at least 0 and less than {len(self.south)}.")
        try:
            return bool(east_is_before_south(self.east, self.south, second, third))
        except Exception:
            raise ValueError("east_is_before_south is not defined for this second and third; choose other arguments.")


def reference(north: list[int], east: list[int], south: list[int], most: int) -> str:
    return admit(north, east, south, most)


def solve(tools, most):
    known_north_is_before_east = {}

    def ask_north_is_before_east(first, second):
        if (first, second) not in known_north_is_before_east:
            known_north_is_before_east[first, second] = tools.north_is_before_east(first=first, second=second)
        return known_north_is_before_east[first, second]
    count_north = tools.count_north()
    count_east = tools.count_east()
    count_south = tools.count_south()
    norths = count_north
    easts = count_east
    souths = count_south
    row = 0
    third = 0
    second = 0
    first = 0
    last = ''
    order = ''
    while first < norths or second < easts or third < souths:
        barred = last if row >= most else ''
        best = ''
        if first < norths and barred != 'N':
            best = 'N'
        if second < easts and barred != 'E':
            if best == '' or not ask_north_is_before_east(first=first, second=second):
                best = 'E'
        if third < souths and barred != 'S':
            if best == '':
                best = 'S'
            elif best == 'N':
                if not tools.north_is_before_south(first=first, third=third):
                    best = 'S'
            elif not tools.east_is_before_south(second=second, third=third):
                best = 'S'
        if best == '':
            best = barred
        row = row + 1 if best == last else 1
        last = best
        order += best
        if best == 'N':
            first += 1
        elif best == 'E':
            second += 1
        else:
            third += 1
    return order
