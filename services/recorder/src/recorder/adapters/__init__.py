"""The recorder's hands: processes, sockets, files, stores."""
