module moonmill.example/packed

go 1.21
