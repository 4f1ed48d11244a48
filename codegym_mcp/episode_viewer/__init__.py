"""The page that shows episodes in a browser: its files, its routes and the data that it reads."""
