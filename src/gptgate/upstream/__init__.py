"""The one package that opens sockets to providers."""
