"""A ribbon mill lays {pieces} pieces of ribbon, numbered from 0, on boards that are {width} centimetres wide. The
pieces are laid in the order of their numbers, from left to right. A piece goes on the current board if something lies
there already and the piece fits behind a gap of one centimetre; otherwise it begins the next board. A piece that is
longer than a board is wide is cut: as much of it as fills a board is laid on a board of its own, again and again,
until the rest fits on a board. The rest begins the next board, and pieces may follow it there.

Lay all pieces. Answer with the list of the free centimetres behind the last piece of each board, in the order of the
boards. A board that is full has 0.
"""

META = {
    "title": "Ribbon boards",
    "tags": ["texts", "packing"],
    "public": ["pieces", "width"],
    "license": "MIT",
    "source": "codegym-mcp examples, problem narrow-column",
}


class Environment:
    def __init__(self, pieces: int, width: int, lengths: list[int]):
        if pieces < 1 or width < 1 or len(lengths) != pieces or min(lengths) < 1:
            raise ValueError("there must be a length of 1 or more for each piece, and boards have a width")
        self.width = width
        self.rest = list(lengths)
        self.free = None

    def fit_on(self, piece: int) -> bool:
        """Try to lay what is left of a piece on the current board, behind a gap of one centimetre.

        Args:
            piece: number of the piece; refused before the first board, and if the piece has been laid.

        Returns:
            Whether it fits; if so, it lies there now.
        """
        check_piece(piece, self.rest)
        if self.free is None:
            raise ValueError("there is no board yet; begin one")
        if self.free < 1 + self.rest[piece]:
            return False
        self.free -= 1 + self.rest[piece]
        self.rest[piece] = 0
        return True

    def begin_board(self, piece: int) -> bool:
        """Take the next board and lay a piece on it; if it is too long, it is cut and fills the board.

        Args:
            piece: number of the piece; refused if it has been laid.

        Returns:
            Whether all that was left of the piece lies on the board. If not, the rest is still to be laid.
        """
        check_piece(piece, self.rest)
        laid = min(self.rest[piece], self.width)
        self.free = self.width - laid
        self.rest[piece] -= laid
        return self.rest[piece] == 0

    def measure_free(self) -> int:
        """Measure the free centimetres behind the last piece of the current board."""
        if self.free is None:
            raise ValueError("there is no board yet; begin one")
        return self.free


def check_piece(piece, rest):
    if not 0 <= piece < len(rest):
        raise ValueError(f"pieces have the numbers 0 to {len(rest) - 1}")
    if rest[piece] == 0:
        raise ValueError(f"piece {piece} has been laid")


def lay(width, lengths, gap):
    free = []
    for length in lengths:
        if free and free[-1] >= gap + length:
            free[-1] -= gap + length
            continue
        while length > width:
            free.append(0)
            length -= width
        free.append(width - length)
    return free


def reference(pieces: int, width: int, lengths: list[int]) -> list[int]:
    return lay(width, lengths, 1)


def mistakes(pieces: int, width: int, lengths: list[int]) -> dict[str, list[int]]:
    return {"no gap between pieces": lay(width, lengths, 0)}


def generate(random, difficulty):
    pieces = random.randint(*[(6, 8), (9, 12), (16, 20), (28, 34), (46, 56)][difficulty - 1])
    width = random.randint(12, 30)
    lengths = [
        random.randint(width + 1, 3 * width) if random.random() < 0.1 else random.randint(1, 2 * width // 3)
        for piece in range(pieces)
    ]
    return {"pieces": pieces, "width": width, "lengths": lengths}


def solve(tools, pieces, width):
    free = []
    begun = False
    for piece in range(pieces):
        if begun:
            if tools.fit_on(piece=piece):
                continue
            free.append(tools.measure_free())
        while not tools.begin_board(piece=piece):
            # The piece fills this board.
            free.append(0)
        begun = True
    if begun:
        free.append(tools.measure_free())
    return free
